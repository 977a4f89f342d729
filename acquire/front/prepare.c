#include "acquire/front/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "acquire/front/inhibit.h"
#include "acquire/front/jobstate.h"
#include "acquire/front/sealing.h"
#include "acquire/front/source_facts.h"
#include "acquire/front/takeover.h"
#include "acquire/job/staging.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"

/* --- the source --- */

static int
take_file(struct acquisition *a, struct err *err)
{
    const char *path = a->options.source;

    a->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (a->file < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(a->file, &a->file_stat) != 0)
        return err_errno(err, "cannot stat '%s'", path);
    if (!S_ISREG(a->file_stat.st_mode))
        return err_set(err, OUTCOME_REFUSED, "'%s' changed while it was opened", path);
    a->source_size = (uint64_t)a->file_stat.st_size;
    a->sector_size = a->options.sector_size ? a->options.sector_size : 512;
    return 0;
}

static int
take_device(struct acquisition *a, dev_t number, struct err *err)
{
    if (a->options.sector_size != 0)
        return err_set(err, OUTCOME_USAGE,
                       "--sector-size is for sources that are files; '%s' says "
                       "its own",
                       a->options.source);
    a->device = xcalloc(1, sizeof *a->device);
    if (device_read(number, a->device, err) != 0)
        return -1;
    a->source_size = a->device->size;
    a->sector_size = a->device->logical_sector_size;
    return 0;
}

/* Device options on a file would look as if they had done something. */
static int
check_file_options(const struct acquire_options *o, struct err *err)
{
    if (o->expect_serial)
        return err_set(err, OUTCOME_REFUSED,
                       "'%s' is a file and has no serial number, '%s' was "
                       "expected",
                       o->source, o->expect_serial);
    if (o->scsi_timeout || o->max_temperature)
        return err_set(err, OUTCOME_USAGE, "'%s' is a file: '--%s' is for devices", o->source,
                       o->scsi_timeout ? "scsi-timeout" : "max-temperature");
    if (o->write_block == WRITE_BLOCK_BPF_LSM || o->write_block == WRITE_BLOCK_READ_ONLY_FLAG)
        return err_set(err, OUTCOME_REFUSED,
                       "'%s' is a file: the write block demanded is for "
                       "devices",
                       o->source);
    return 0;
}

static int
find_source(struct acquisition *a, struct err *err)
{
    const char *path = a->options.source;
    struct stat st;

    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    if (S_ISBLK(st.st_mode))
        return take_device(a, st.st_rdev, err);
    if (S_ISREG(st.st_mode))
        return check_file_options(&a->options, err) == 0 ? take_file(a, err) : -1;
    return err_set(err, OUTCOME_FAILED,
                   "cannot acquire '%s': it is %s, not a block device or a "
                   "regular file",
                   path,
                   S_ISDIR(st.st_mode)    ? "a directory"
                   : S_ISCHR(st.st_mode)  ? "a character device"
                   : S_ISFIFO(st.st_mode) ? "a pipe"
                                          : "something else");
}

/* --- the plan --- */

static int
find_range(struct acquisition *a, struct err *err)
{
    const struct acquire_options *o = &a->options;

    if (a->source_size == 0)
        return err_set(err, OUTCOME_FAILED, "cannot acquire '%s': it is empty", o->source);
    if (o->offset && size_parse(o->offset, a->sector_size, "--offset", &a->offset, err) != 0)
        return -1;
    if (a->offset >= a->source_size)
        return err_set(err, OUTCOME_USAGE,
                       "offset %" PRIu64 " lies past the end of '%s' (%" PRIu64 ")", a->offset,
                       o->source, a->source_size);
    a->length = a->source_size - a->offset;
    if (o->length && size_parse(o->length, a->sector_size, "--length", &a->length, err) != 0)
        return -1;
    if (a->length == 0 || a->length > a->source_size - a->offset)
        return err_set(err, OUTCOME_USAGE,
                       "length %" PRIu64 " from byte %" PRIu64 " does not lie "
                       "within '%s' (%" PRIu64 ")",
                       a->length, a->offset, o->source, a->source_size);
    /* A device is read in whole sectors, from their start. */
    if (a->device && (a->offset % a->sector_size != 0 || a->length % a->sector_size != 0))
        return err_set(err, OUTCOME_USAGE,
                       "offset and length must be multiples of the sector size "
                       "(%" PRIu32 ") of '%s'",
                       a->sector_size, o->source);
    return 0;
}

static int
make_plan(struct acquisition *a, struct err *err)
{
    const struct acquire_options *o = &a->options;
    struct plan_request *r = &a->request;

    r->media_size = a->length;
    r->sector_size = a->sector_size;
    r->e01 = o->e01;
    if (o->segment_size &&
        size_parse(o->segment_size, a->sector_size, "--segment-size", &r->segment_size, err) != 0)
        return -1;
    if (o->segment_size && r->segment_size == 0)
        return err_set(err, OUTCOME_USAGE, "segment size 0: a segment needs at least a sector");
    if (o->piecewise &&
        size_parse(o->piecewise, a->sector_size, "--piecewise", &r->piecewise, err) != 0)
        return -1;
    if (o->piecewise && r->piecewise == 0)
        return err_set(err, OUTCOME_USAGE, "piece size 0: a piece needs at least a byte");
    return plan_make(r, &a->plan, err);
}

/* The supervisor asks this of a device; a file needs nobody who is root. */
static int
check_file_use(const struct acquisition *a, struct err *err)
{
    char why[512];

    if (a->device || file_in_use(a->file, why, sizeof why) == DEVICE_FREE)
        return 0;
    return err_set(err, OUTCOME_REFUSED, "cannot acquire '%s': busy (%s); detach it first",
                   a->options.source, why);
}

/* --- the destinations --- */

/* Those of a job that goes on are open already. */
static int
open_destination(struct acquisition *a, size_t i, const char *path, struct err *err)
{
    if (a->options.resume)
        return 0;
    a->n_dest++;
    return destination_open(&a->dest[i], path, err);
}

static int
open_destinations(struct acquisition *a, struct err *err)
{
    const char *paths[WORKER_SINKS_MAX] = {a->options.dest, a->options.copy};

    for (size_t i = 0; i < WORKER_SINKS_MAX && paths[i]; i++) {
        const struct destination *d = &a->dest[i];

        if (open_destination(a, i, paths[i], err) != 0)
            return -1;
        if (a->device ? device_holds_path(a->device, d->parent)
                      : file_holds_path(a->file, d->parent))
            return err_set(err, OUTCOME_REFUSED, "cannot write '%s': it lies on the source '%s'",
                           paths[i], a->options.source);
    }
    return 0;
}

static int
check_places(const struct acquisition *a, struct err *err)
{
    for (size_t i = 0; i < a->n_places; i++) {
        const struct destination *d = &a->place[i];

        if (a->device ? device_holds_path(a->device, d->parent)
                      : file_holds_path(a->file, d->parent))
            return err_set(err, OUTCOME_REFUSED, "cannot write '%s': it lies on the source '%s'",
                           d->path, a->options.source);
        if (destination_check_names(d, &a->request, &a->plan, !a->new_place || i + 1 != a->writing,
                                    err) != 0)
            return -1;
    }
    return 0;
}

static int
check_same(const struct acquisition *a, struct err *err)
{
    struct stat x;
    struct stat y;

    if (a->n_dest < 2)
        return 0;
    if (fstat(a->dest[0].parent, &x) != 0 || fstat(a->dest[1].parent, &y) != 0)
        return err_errno(err, "cannot stat the destinations");
    if (x.st_dev == y.st_dev && x.st_ino == y.st_ino &&
        strcmp(a->dest[0].name, a->dest[1].name) == 0)
        return err_set(err, OUTCOME_USAGE, "the copy '%s' is the destination itself",
                       a->options.copy);
    return 0;
}

/* In the worst case, and what the journal keeps need not be written again. */
static uint64_t
still_needed(const struct acquisition *a, size_t i)
{
    const struct history_sink *s = &a->history.sinks[i];
    uint64_t have = 0;

    if (!a->options.resume)
        return a->plan.worst_size;
    for (size_t k = 0; k < s->n_segments; k++)
        have += s->segments[k].size;
    if (!a->options.e01 && s->durable > have)
        have = s->durable;
    return have < a->plan.worst_size ? a->plan.worst_size - have : 0;
}

/* Rescue mode collects the media in the first DEST.partial before it images them. */
static uint64_t
staging_needed(const struct acquisition *a)
{
    uint64_t have;

    if (!a->options.rescue || a->writing > 0)
        return 0;
    have = staging_allocated(a->dest[0].dir, a->dest[0].name);
    return have < a->length ? a->length - have : 0;
}

/* Two destinations on one file system share its space. */
static int
check_space(const struct acquisition *a, struct err *err)
{
    for (size_t i = 0; i < a->n_dest; i++) {
        uint64_t staging = staging_needed(a);
        uint64_t need = still_needed(a, i);
        uint64_t have;
        uint64_t id;
        uint64_t other;
        uint64_t ignored;

        if (destination_space(acquisition_written_to(a, i), &have, &id, err) != 0)
            return -1;
        if (a->n_dest == 2 &&
            destination_space(acquisition_written_to(a, 1 - i), &ignored, &other, err) == 0 &&
            other == id)
            need += still_needed(a, 1 - i) + (i == 0 ? 0 : staging);
        need += i == 0 ? staging : 0;
        if (need <= have || a->options.low_space)
            continue;
        return err_set(err, OUTCOME_REFUSED,
                       "not enough space for '%s': up to %" PRIu64 " bytes are needed%s, %" PRIu64
                       " are free%s",
                       acquisition_written_to(a, i)->path, need,
                       a->options.rescue ? ", for what is rescued and for the image" : "", have,
                       a->options.e01 && a->options.compression != COMPRESSION_NONE
                           ? "; if it will compress, --allow-low-space starts anyway"
                           : "");
    }
    return 0;
}

static int
check_destinations(struct acquisition *a, struct err *err)
{
    if (check_same(a, err) != 0 || check_places(a, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_dest; i++) {
        if (destination_check_names(&a->dest[i], &a->request, &a->plan, a->options.resume, err) !=
            0)
            return -1;
    }
    return check_space(a, err);
}

static void
choose_writer(struct acquisition *a)
{
    int dirs[WORKER_SINKS_MAX + WORKER_DIRS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < a->n_dest; i++)
        dirs[n++] = a->dest[i].parent;
    for (size_t i = 0; i < a->n_places; i++)
        dirs[n++] = a->place[i].parent;
    requester_writer(&a->requester, dirs, n, &a->writer);
}

/* File systems have a largest file (FAT 4 GiB, ext4 16 TiB), which a seek within any file of theirs
   shows: better now than after a day. */
static int
check_file_size(const struct acquisition *a, size_t i, struct err *err)
{
    AUTO_FREE char *log = xasprintf("%s.log", a->dest[i].name);
    AUTO_FD int fd = openat(a->dest[i].dir, log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t largest = a->plan.segment_size ? a->plan.segment_size : a->plan.worst_size;

    if (largest > a->plan.worst_size)
        largest = a->plan.worst_size;
    if (fd < 0 || largest > INT64_MAX || lseek(fd, (off_t)largest, SEEK_SET) >= 0)
        return 0;
    return err_set(err, OUTCOME_REFUSED,
                   "cannot write '%s': its file system takes no file of %" PRIu64
                   " bytes; use a smaller --segment-size",
                   a->dest[i].path, largest);
}

static int
make_directories(struct acquisition *a, struct err *err)
{
    a->log = joblog_new();
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!a->options.resume && destination_make(&a->dest[i], err) != 0)
            return -1;
        if (joblog_add(a->log, a->dest[i].dir, a->dest[i].name, a->options.resume, err) != 0 ||
            check_file_size(a, i, err) != 0)
            return -1;
    }
    return takeover_prepare(a, err) == 0 ? jobstate_begin(a, err) : -1;
}

/* --- the supervisor --- */

static int
hold_device(struct acquisition *a, struct err *err)
{
    struct supervisor_message *m = &a->opened;

    if (!a->device)
        return 0;
    device_timeouts(a->device, &a->timeouts);
    *m = (struct supervisor_message){
        .type = SUPERVISOR_OPEN,
        .device = (uint64_t)a->device->number,
        .diskseq = a->device->diskseq,
        .level = a->options.write_block,
        .scsi_timeout = a->options.scsi_timeout,
    };
    if (a->options.expect_serial)
        (void)snprintf(m->text, sizeof m->text, "%s", a->options.expect_serial);
    if (session_ask(a->session, m, NULL, 0, SUPERVISOR_OPENED, err) != 0)
        return -1;
    a->last = *m;
    a->last.diskseq = a->device->diskseq;
    (void)snprintf(a->record, sizeof a->record, "%s", m->text);
    return 0;
}

int
prepare(struct acquisition *a, struct err *err)
{
    requester_find(&a->requester);
    if (jobstate_find(a, err) != 0 || find_source(a, err) != 0 || find_range(a, err) != 0 ||
        make_plan(a, err) != 0 || jobstate_check(a, err) != 0 || open_destinations(a, err) != 0 ||
        check_file_use(a, err) != 0 || check_destinations(a, err) != 0)
        return -1;
    choose_writer(a);
    a->session = session_start(&a->writer, err);
    if (!a->session)
        return -1;
    /* Answered while the supervisor takes the device. */
    a->inhibit = inhibit_begin("acquiring evidence", a->inhibit_state, sizeof a->inhibit_state);
    if (hold_device(a, err) != 0)
        return -1;
    a->inhibit = inhibit_confirm(a->inhibit, a->inhibit_state, sizeof a->inhibit_state);
    /* From here on nothing needs root but the supervisor; unless root is who writes, who may then
       do so in anybody's directory. */
    if (a->writer.uid != 0 && privilege_drop(&a->writer) != 0)
        return err_errno(err, "cannot give up privileges");
    /* After six hours is too late to find that the key was another. */
    if (sealing_start(&a->options, &a->sealing, err) != 0)
        return -1;
    return make_directories(a, err);
}

void
prepare_undo(struct acquisition *a)
{
    session_end(a->session);
    sealing_free(a->sealing);
    inhibit_end(a->inhibit);
    joblog_free(a->log);
    jobstate_free(a);
    for (size_t i = 0; i < a->n_dest; i++)
        destination_close(&a->dest[i]);
    if (a->file >= 0)
        (void)close(a->file);
    free(a->device);
    source_facts_free(a->facts);
    free(a->attempts);
    result_clear(&a->result);
}
