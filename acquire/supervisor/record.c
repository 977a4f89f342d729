#include "acquire/supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/outfile.h"
#include "common/text.h"

const char *
write_block_level_name(enum write_block_level level)
{
    static const char *const names[] = {
        [WRITE_BLOCK_AUTO] = "auto",
        [WRITE_BLOCK_BPF_LSM] = "bpf-lsm",
        [WRITE_BLOCK_READ_ONLY_FLAG] = "read-only-flag",
        [WRITE_BLOCK_HARDWARE] = "hardware",
        [WRITE_BLOCK_NONE] = "none",
    };

    return names[level];
}

/* A JSON string, anything but plain ASCII as \u00XX of each byte. */
static void
put_string(FILE *f, const char *key, const char *s, const char *after)
{
    (void)fprintf(f, "\"%s\": \"", key);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            (void)fprintf(f, "\\u%04x", c);
        else
            (void)fputc(c, f);
    }
    (void)fprintf(f, "\"%s", after);
}

static void
put_text(FILE *f, const char *key, const char *s)
{
    (void)fputs("  ", f);
    put_string(f, key, s, ",\n");
}

static void
put_flag(FILE *f, const char *key, const struct flag_state *s)
{
    (void)fprintf(f, "  \"%s\": { \"nodes\": %" PRIu32 ", \"read_only\": %" PRIu32 " },\n", key,
                  s->nodes, s->read_only);
}

static void
put_monitor(FILE *f, const struct record *r)
{
    const struct monitor_counts *m = &r->monitor;

    (void)fprintf(f, "  \"monitor_available\": %s,\n", m->available ? "true" : "false");
    if (m->available)
        (void)fprintf(f,
                      "  \"monitor\": { \"reads\": %" PRIu64 ", \"writes\": %" PRIu64
                      ", \"flushes\": %" PRIu64 ", \"discards\": %" PRIu64
                      ", \"passthrough\": %" PRIu64 ", \"internal\": %" PRIu64 " },\n",
                      m->reads, m->writes, m->flushes, m->discards, m->passthrough, m->internal);
    else
        put_text(f, "monitor_missing", r->monitor_missing);
    if (*r->guard_missing)
        put_text(f, "guard_missing", r->guard_missing);
}

static void
put_attempt(FILE *f, const struct supervisor_attempt *a, bool last)
{
    char time[CLOCK_TEXT_MAX];

    (void)fprintf(f, "    { \"time\": \"%s\", \"pid\": %" PRId32 ", \"uid\": %" PRIu32 ", ",
                  clock_text(a->when, time), a->pid, a->uid);
    put_string(f, "name", a->name, ", ");
    put_string(f, "what", a->what, ", ");
    put_string(f, "node", a->node, "");
    (void)fprintf(f, " }%s\n", last ? "" : ",");
}

/* Only the guard sees them. */
static void
put_refused(FILE *f, const struct record *r)
{
    if (r->level != WRITE_BLOCK_BPF_LSM)
        return;
    (void)fprintf(f, "  \"guard_lost\": %s,\n", r->guard_lost ? "true" : "false");
    (void)fprintf(f, "  \"refused\": %" PRIu64 ",\n  \"attempts\": [\n", r->refused);
    for (size_t i = 0; i < r->n_attempts; i++)
        put_attempt(f, &r->attempts[i], i + 1 == r->n_attempts);
    (void)fputs("  ],\n", f);
}

static void
put_timeouts(FILE *f, const struct record *r)
{
    if (!r->timeouts.known)
        return;
    (void)fprintf(f,
                  "  \"scsi_timeouts\": { \"command_s\": %" PRIu64 ", \"handler_s\": %" PRIu64
                  ", \"set_s\": %" PRIu32 ", \"restored\": %s },\n",
                  r->timeouts.command, r->timeouts.handler, r->timeout_set,
                  r->timeout_set == 0 || r->timeout_restored ? "true" : "false");
}

static char *
record_text(const struct record *r, bool end, size_t *n)
{
    char time[CLOCK_TEXT_MAX];
    char *out = NULL;
    FILE *f = open_memstream(&out, n);

    if (!f)
        return NULL;
    (void)fputs("{\n  \"schema\": \"exhibit.record/1\",\n", f);
    put_text(f, "opened", clock_text(r->opened, time));
    put_text(f, "written", clock_text(clock_now(), time));
    (void)fprintf(f, "  \"uid\": %u,\n  \"device\": \"%u:%u\",\n  \"diskseq\": %" PRIu64 ",\n",
                  (unsigned)r->uid, major(r->device->number), minor(r->device->number),
                  r->device->diskseq);
    put_text(f, "purpose", r->purpose);
    put_text(f, "policy", r->policy);
    put_text(f, "name", r->device->name);
    put_text(f, "vendor", r->device->vendor);
    put_text(f, "model", r->device->model);
    put_text(f, "serial", r->device->serial);
    put_text(f, "wwn", r->device->wwn);
    put_text(f, "firmware", r->device->firmware);
    put_text(f, "bus", r->device->bus);
    (void)fprintf(f, "  \"size\": %" PRIu64 ",\n", r->device->size);
    put_text(f, "write_block", write_block_level_name(r->level));
    put_flag(f, "read_only_before", &r->before);
    put_flag(f, "read_only_during", &r->during);
    put_flag(f, "read_only_after", &r->after);
    (void)fprintf(f, "  \"read_only_lost\": %" PRIu32 ",\n  \"worker_status\": %d,\n", r->lost,
                  r->worker_status);
    if (r->worker_stuck)
        (void)fprintf(f, "  \"worker_stuck\": %ld,\n", (long)r->worker_stuck);
    put_monitor(f, r);
    put_refused(f, r);
    put_timeouts(f, r);
    put_text(f, "manifest_sha256", r->manifest_sha256);
    (void)fprintf(f, "  \"end\": %s\n}\n", end ? "true" : "false");
    if (fclose(f) != 0) {
        free(out);
        return NULL;
    }
    return out;
}

static int
make_directory(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return err_errno(err, "cannot create '%s'", path);
    return 0;
}

/* A directory that somebody other than root owns is no place for evidence of what root saw. */
static int
open_directory(struct err *err)
{
    struct stat st;
    int fd;

    if (make_directory("/var/lib/exhibit", 0755, err) != 0 ||
        make_directory(RECORD_DIR, 0700, err) != 0)
        return -1;
    fd = open(RECORD_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot open '%s'", RECORD_DIR);
    if (fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & 022) == 0)
        return fd;
    (void)close(fd);
    return err_set(err, OUTCOME_FAILED, "'%s' is not root's alone", RECORD_DIR);
}

/* A name with a '/' in it ("cciss/c0d0") as sysfs has it. */
static void
record_name(const struct record *r, char *name, size_t n)
{
    (void)snprintf(name, n, "%" PRId64 "-%s-%ld.json", r->opened, r->device->name, (long)getpid());
    for (char *slash = strchr(name, '/'); slash; slash = strchr(slash, '/'))
        *slash = '!';
}

void
record_path(const struct record *r, char *path, size_t n)
{
    char name[DEVICE_TEXT_MAX + 64];

    record_name(r, name, sizeof name);
    (void)snprintf(path, n, "%s/%s", RECORD_DIR, name);
}

int
record_write(const struct record *r, bool end, struct err *err)
{
    char name[DEVICE_TEXT_MAX + 64];
    AUTO_FREE char *text = NULL;
    AUTO_FD int dir = -1;
    size_t size = 0;

    dir = open_directory(err);
    if (dir < 0)
        return -1;
    text = record_text(r, end, &size);
    if (!text)
        return err_set(err, OUTCOME_FAILED, "not enough memory for the record");
    record_name(r, name, sizeof name);
    return outfile_write(dir, name, text, size, true, err);
}
