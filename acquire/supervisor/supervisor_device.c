/*
 * What the supervisor does with a device: taking, lending, looking again, finishing, releasing.
 */
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "acquire/device/device_evidence.h"
#include "acquire/supervisor/hold.h"
#include "acquire/supervisor/supervisor.h"
#include "acquire/supervisor/write_block.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/text.h"

#define SHA256_HEX 64 /* digits */

static void
close_source(struct supervisor *s)
{
    supervisor_end_drive(s);
    if (s->source >= 0)
        (void)close(s->source);
    s->source = -1;
}

static void
let_go(struct supervisor *s)
{
    close_source(s);
    monitor_stop(s->monitor);
    s->monitor = NULL;
    guard_close(s->guard);
    s->guard = NULL;
    free(s->device);
    s->device = NULL;
    s->state = STATE_IDLE;
}

/* Whoever kills this process finds in the record what has to be put back. */
static int
set_timeouts(struct supervisor *s, uint32_t seconds, struct err *err)
{
    struct record *r = &s->record;
    struct err ignored = ERR_INIT;

    device_timeouts(s->device, &r->timeouts);
    /* And for whom the device is held: who may have it released, if nobody writes the end. */
    if (seconds == 0) {
        if (geteuid() == 0)
            (void)record_write(r, false, &ignored);
        return 0;
    }
    if (device_timeouts_set(s->device, seconds, s->timeouts, err) != 0)
        return -1;
    r->timeout_set = seconds;
    return record_write(r, false, err);
}

static void
put_settings_back(struct supervisor *s)
{
    bool command = device_setting_restore(&s->timeouts[0]);
    bool handler = device_setting_restore(&s->timeouts[1]);

    s->record.timeout_restored = command && handler;
    (void)device_setting_restore(&s->usb);
    s->usb.path[0] = s->timeouts[0].path[0] = s->timeouts[1].path[0] = '\0';
}

/* Nothing was done with the device: what was changed for the job is changed back. */
static void
undo_hold(struct supervisor *s)
{
    put_settings_back(s);
    close_source(s);
    hold_undo(&s->record);
}

/* Through the daemon, people who are not root choose the device: it must be one that root has
   marked, and stays write-protected. That it is in use, or the system's, is found when it is taken.
 */
static int
check_policy(const struct supervisor *s, const struct supervisor_message *m, struct err *err)
{
    if (s->policy != POLICY_EVIDENCE)
        return 0;
    if (!device_is_evidence(s->device, s->evidence, s->n_evidence))
        return err_set(
            err, OUTCOME_REFUSED,
            "cannot acquire '/dev/%s': it is not marked as evidence, neither by udev nor "
            "in the daemon's configuration",
            s->device->name);
    if (m->level == WRITE_BLOCK_NONE)
        return err_set(err, OUTCOME_REFUSED,
                       "cannot acquire '/dev/%s' without a write block: only root may do that",
                       s->device->name);
    /* The levels stand in the order of what they stop. */
    if (s->least != WRITE_BLOCK_AUTO && m->level > s->least)
        return err_set(err, OUTCOME_REFUSED,
                       "cannot acquire '/dev/%s': the daemon's configuration demands write block "
                       "'%s' at least",
                       s->device->name, write_block_level_name(s->least));
    return 0;
}

/* From before the first read, and before the device is opened. A job goes on without. */
static void
start_monitor(struct supervisor *s)
{
    struct err err = ERR_INIT;

    s->monitor = monitor_start(s->device, &err);
    if (!s->monitor)
        (void)snprintf(s->record.monitor_missing, sizeof s->record.monitor_missing, "%s", err.text);
}

/* What somebody had written and the kernel had not yet was written out before the block, or
   somebody wrote while the device was taken. Root's record keeps it. */
static int
check_writes(struct supervisor *s, struct err *err)
{
    struct monitor_counts *seen = &s->record.monitor;
    struct err ignored = ERR_INIT;

    monitor_read(s->monitor, seen);
    if (seen->writes == 0 && seen->discards == 0)
        return 0;
    (void)write_block_look(s->device, &s->record.after, &ignored);
    (void)record_write(&s->record, true, &ignored);
    return err_set(err, OUTCOME_REFUSED,
                   "cannot acquire '/dev/%s': it has just been written to (%" PRIu64
                   " requests: something had pages waiting for it, or writes at this moment); find "
                   "out what did, then start again",
                   s->device->name, seen->writes + seen->discards);
}

static int
take(struct supervisor *s, struct supervisor_message m, struct err *err)
{
    /* The best there is may be less than what is demanded. */
    if (m.level == WRITE_BLOCK_AUTO && s->least == WRITE_BLOCK_BPF_LSM)
        m.level = WRITE_BLOCK_BPF_LSM;
    if (device_read((dev_t)m.device, s->device, err) != 0 || check_policy(s, &m, err) != 0)
        return -1;
    start_monitor(s);
    s->source = hold_device(&m, &s->record, &s->guard, err);
    if (s->source < 0)
        return -1;
    device_usb_keep_awake(s->device, &s->usb);
    if (check_writes(s, err) == 0 && set_timeouts(s, m.scsi_timeout, err) == 0)
        return 0;
    undo_hold(s);
    return -1;
}

static void
tell_refused(struct supervisor *s, struct supervisor_message *out)
{
    supervisor_hear_guard(s);
    out->guarded = s->record.level == WRITE_BLOCK_BPF_LSM;
    out->guard_lost = s->record.guard_lost;
    out->refused = s->record.refused;
}

int
supervisor_open(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_OPENED};
    struct err err = ERR_INIT;

    (void)fds;
    if (n != 0 || m->level > WRITE_BLOCK_NONE || m->scsi_timeout > SUPERVISOR_TIMEOUT_MAX)
        return -1;
    s->device = xcalloc(1, sizeof *s->device);
    s->record = (struct record){.opened = clock_now(),
                                .uid = s->user.uid,
                                .purpose = s->purpose == PURPOSE_COMPARE ? "compare" : "acquire",
                                .policy = s->policy == POLICY_EVIDENCE ? "evidence" : "any",
                                .device = s->device,
                                .worker_status = -1,
                                .manifest_sha256 = ""};
    if (take(s, *m, &err) != 0) {
        let_go(s);
        return supervisor_refuse(&err);
    }
    s->state = STATE_HELD;
    out.size = s->device->size;
    out.level = s->record.level;
    (void)snprintf(out.serial, sizeof out.serial, "%s", s->device->serial);
    out.locked = device_locked(s->device, s->source);
    out.before = s->record.before;
    out.now = s->record.during;
    monitor_read(s->monitor, &out.monitor);
    tell_refused(s, &out);
    (void)snprintf(out.monitor_missing, sizeof out.monitor_missing, "%s",
                   s->record.monitor_missing);
    (void)snprintf(out.guard_missing, sizeof out.guard_missing, "%s", s->record.guard_missing);
    if (geteuid() == 0)
        record_path(&s->record, out.text, sizeof out.text);
    return supervisor_reply(&out);
}

/* The descriptor is of this one device, read-only, and the write block is in force: what the front
   can do with it is read. A job that images never gets here: there nobody but the worker has it. */
int
supervisor_lend(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_LENT, .size = s->device->size};

    (void)m;
    (void)fds;
    if (n != 0)
        return -1;
    s->state = STATE_LENT;
    return supervisor_reply_with(&out, &s->source, 1);
}

/* Kernels have been seen to make a device writable again after an error or a re-enumeration. */
static void
look_again(struct supervisor *s, struct flag_state *now)
{
    struct record *r = &s->record;
    struct err ignored = ERR_INIT;

    r->guard_lost = r->guard_lost || (s->guard && !guard_holds(s->guard));
    /* What was not seen in full has not been seen. */
    if (write_block_look(s->device, now, &ignored) != 0)
        *now = (struct flag_state){0};
    if (!flag_is_full(&r->during) || flag_is_full(now))
        return;
    r->lost++;
    (void)write_block_set(s->device, true, now, &ignored);
}

/* What the front does not take in at once is in the record; it must not hold the supervisor up. */
void
supervisor_note_attempt(struct supervisor *s, const struct supervisor_attempt *attempt)
{
    struct supervisor_message out = {.type = SUPERVISOR_ATTEMPT, .attempt = *attempt};
    struct record *r = &s->record;
    struct err ignored = ERR_INIT;

    r->refused++;
    if (r->n_attempts == SUPERVISOR_ATTEMPTS_MAX)
        return;
    r->attempts[r->n_attempts++] = *attempt;
    (void)supervisor_tell(SUPERVISOR_FD, &out, &ignored);
}

int
supervisor_check(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_CHECKED};

    (void)m;
    (void)fds;
    if (n != 0)
        return -1;
    if (s->device) {
        look_again(s, &out.now);
        if (ioctl(s->source, BLKGETSIZE64, &out.size) != 0)
            out.size = 0;
        out.diskseq = device_diskseq(s->device);
        monitor_read(s->monitor, &out.monitor);
        tell_refused(s, &out);
    }
    out.lost = s->record.lost;
    return supervisor_reply(&out);
}

/* The record binds what root saw to one manifest, by this and nothing else. */
static bool
is_sha256_or_none(const char *hex)
{
    size_t n = strlen(hex);

    return n == 0 || (n == SHA256_HEX && strspn(hex, "0123456789abcdef") == n);
}

int
supervisor_finish(struct supervisor *s, const struct supervisor_message *m, const int *fds,
                  size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_FINISHED};
    struct err err = ERR_INIT;

    (void)fds;
    if (n != 0 || !is_sha256_or_none(m->text))
        return -1;
    if (s->device) {
        look_again(s, &out.now);
        s->record.after = out.now;
        monitor_read(s->monitor, &s->record.monitor);
        out.monitor = s->record.monitor;
        tell_refused(s, &out);
        put_settings_back(s);
        s->record.manifest_sha256 = m->text;
        record_path(&s->record, out.text, sizeof out.text);
        if (record_write(&s->record, true, &err) != 0) {
            out.outcome = err.outcome;
            (void)snprintf(out.text, sizeof out.text, "%s", err.text);
        }
        close_source(s);
        if (m->release && hold_lift(s->device, &out.now, &err) != 0) {
            out.outcome = err.outcome;
            (void)snprintf(out.text, sizeof out.text, "%s", err.text);
        }
    }
    out.lost = s->record.lost;
    let_go(s);
    return supervisor_reply(&out);
}

static int
release(const struct supervisor_message *m, struct device *d, struct flag_state *now,
        struct err *err)
{
    if (device_read((dev_t)m->device, d, err) != 0)
        return -1;
    if (m->diskseq != 0 && m->diskseq != d->diskseq)
        return err_set(err, OUTCOME_REFUSED, "cannot release '/dev/%s': it is another disk by now",
                       d->name);
    return hold_lift(d, now, err);
}

int
supervisor_release(struct supervisor *s, const struct supervisor_message *m, const int *fds,
                   size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_RELEASED};
    AUTO_FREE struct device *d = xcalloc(1, sizeof *d);
    struct err err = ERR_INIT;

    (void)s;
    (void)fds;
    if (n != 0)
        return -1;
    if (release(m, d, &out.now, &err) != 0)
        return supervisor_refuse(&err);
    return supervisor_reply(&out);
}

/* Whatever ended the conversation: the worker goes, the write block stays; unless the front has
   left in order before the job began. */
void
supervisor_wind_up(struct supervisor *s, bool in_order)
{
    struct err ignored = ERR_INIT;
    bool began = !in_order || s->state != STATE_HELD;

    if (s->worker > 0)
        supervisor_end_worker(s);
    if (s->device && began) {
        look_again(s, &s->record.after);
        put_settings_back(s);
    } else if (s->device) {
        undo_hold(s);
        (void)write_block_look(s->device, &s->record.after, &ignored);
    }
    if (s->device) {
        supervisor_hear_guard(s);
        monitor_read(s->monitor, &s->record.monitor);
        (void)record_write(&s->record, true, &ignored);
    }
    let_go(s);
}
