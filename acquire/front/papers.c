#include "acquire/front/papers.h"

#include <inttypes.h>
#include <sys/utsname.h>

#include "acquire/front/protection.h"
#include "acquire/front/source_facts.h"
#include "acquire/supervisor/record.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/mapfile.h"
#include "common/outfile.h"
#include "common/size.h"
#include "common/text.h"

/* Ranges in the log are cut here; the manifest and the mapfile hold them all. */
#define LOG_RANGES_MAX 1000

/* --- the command line --- */

static bool
needs_quotes(const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";

    return *s == '\0' || s[strspn(s, plain)] != '\0';
}

static void
put_quoted(FILE *f, const char *s)
{
    (void)fputc('\'', f);
    for (; *s; s++) {
        if (*s == '\'')
            (void)fputs("'\\''", f);
        else
            (void)fputc(*s, f);
    }
    (void)fputc('\'', f);
}

char *
papers_quoted(const char *s)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = needs_quotes(s) ? open_memstream(&out, &n) : NULL;

    if (!f)
        return xstrdup(s);
    put_quoted(f, s);
    (void)fclose(f);
    return out;
}

char *
papers_command_line(const struct acquisition *a)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    if (!f)
        return xstrdup("");
    (void)fputs("exhibit acquire", f);
    for (int i = 1; i < a->options.argc; i++) {
        (void)fputc(' ', f);
        if (needs_quotes(a->options.argv[i]))
            put_quoted(f, a->options.argv[i]);
        else
            (void)fputs(a->options.argv[i], f);
    }
    if (fclose(f) != 0) {
        free(out);
        return xstrdup("");
    }
    return out;
}

/* --- the log --- */

static void
fact(const struct acquisition *a, const char *name, const char *value)
{
    if (value && *value)
        joblog_line(a->log, "  %-22s %s", name, value);
}

static void
log_case(const struct acquisition *a)
{
    const struct acquire_options *o = &a->options;
    AUTO_FREE char *user = xasprintf("%s (uid %u)", a->requester.name, (unsigned)a->requester.uid);

    joblog_line(a->log, "Case");
    fact(a, "case number", o->case_number);
    fact(a, "evidence number", o->evidence_number);
    fact(a, "description", o->description);
    fact(a, "examiner", o->examiner);
    fact(a, "notes", o->notes);
    fact(a, "user", user);
    if (a->writer.uid != a->requester.uid)
        joblog_line(a->log, "  %-22s uid %u, since this user may not write to the destination",
                    "written as", (unsigned)a->writer.uid);
    for (size_t i = 0; i < o->n_meta; i++) {
        const char *equals = strchr(o->meta[i], '=');
        AUTO_FREE char *key = xstrndup(o->meta[i], (size_t)(equals - o->meta[i]));

        fact(a, key, equals + 1);
    }
}

static void
log_source(const struct acquisition *a)
{
    const struct device *d = a->device;
    char human[SIZE_TEXT_MAX];
    AUTO_FREE char *size = xasprintf("%" PRIu64 " bytes (%s), %" PRIu64 " sectors of %" PRIu32,
                                     a->source_size, size_human(a->source_size, human),
                                     a->source_size / a->sector_size, a->sector_size);

    joblog_line(a->log, "Source");
    fact(a, "path", a->options.source);
    fact(a, "kind", d ? (d->is_partition ? "partition" : "disk") : "file");
    fact(a, "size", size);
    if (a->offset != 0 || a->length != a->source_size)
        joblog_line(a->log, "  %-22s %" PRIu64 " bytes from byte %" PRIu64, "of which", a->length,
                    a->offset);
    if (!d)
        return;
    fact(a, "vendor", d->vendor);
    fact(a, "model", d->model);
    fact(a, "serial number", d->serial);
    fact(a, "WWN", d->wwn);
    fact(a, "firmware", d->firmware);
    fact(a, "bus", d->bus);
    fact(a, "backing file", d->backing_file);
    source_facts_log(a);
}

static void
log_image(const struct acquisition *a)
{
    joblog_line(a->log, "Image");
    fact(a, "mode",
         a->options.rescue ? "rescue: copied, trimmed, scraped and retried, then imaged"
                           : "stream");
    fact(a, "format", a->options.e01 ? "E01 (EnCase 6)" : "raw");
    for (size_t i = 0; i < a->n_dest; i++) {
        struct err ignored = ERR_INIT;
        uint64_t left;
        uint64_t id;

        fact(a, i == 0 ? "destination" : "copy", a->dest[i].path);
        if (destination_space(&a->dest[i], &left, &id, &ignored) == 0)
            joblog_line(a->log, "  %-22s up to %" PRIu64 " bytes needed%s, %" PRIu64 " free",
                        "space", a->plan.worst_size,
                        a->options.rescue && i == 0 ? " beside what is rescued" : "", left);
    }
    if (a->options.e01)
        joblog_line(a->log, "  %-22s %" PRIu32 " sectors (%" PRIu64 " bytes)", "chunk",
                    a->plan.sectors_per_chunk,
                    (uint64_t)a->plan.sectors_per_chunk * a->sector_size);
    if (a->plan.segment_size != 0)
        joblog_line(a->log, "  %-22s %" PRIu64 " bytes at most%s", "segment", a->plan.segment_size,
                    a->plan.segment_size_grown ? " (more than asked: the names would run out)"
                                               : "");
}

/* The log of a job that goes on has its beginning already. */
static void
papers_log_resumed(const struct acquisition *a)
{
    const struct history_end *end = &a->history.end;
    char text[CLOCK_TEXT_MAX];

    joblog_event(a->log, "resumed by Exhibit %s as %s; the run before was interrupted %s%s%s",
                 EXHIBIT_VERSION, a->requester.name,
                 end->time >= 0 ? clock_text(end->time, text) : "without a word",
                 end->reason ? ": " : "", end->reason ? end->reason : "");
    log_source(a);
    protection_log_begin(a);
}

void
papers_log_begin(const struct acquisition *a)
{
    AUTO_FREE char *command = papers_command_line(a);
    struct utsname u;

    if (a->options.resume) {
        papers_log_resumed(a);
        return;
    }
    joblog_line(a->log, "Exhibit %s acquisition log", EXHIBIT_VERSION);
    joblog_line(a->log, "  %-22s %s", "command line", command);
    if (uname(&u) == 0)
        joblog_line(a->log, "  %-22s %s, %s %s", "host", u.nodename, u.sysname, u.release);
    fact(a, "sleep", a->inhibit_state);
    log_case(a);
    log_source(a);
    protection_log_begin(a);
    log_image(a);
    joblog_line(a->log, "Events");
}

static void
log_unreadable(const struct acquisition *a)
{
    const struct ranges *bad = &a->result.unreadable;

    joblog_line(a->log, "Unreadable: %" PRIu64 " sectors in %zu ranges, filled with zero",
                acquisition_unreadable_sectors(a), bad->n);
    for (size_t i = 0; i < bad->n && i < LOG_RANGES_MAX; i++)
        joblog_line(a->log,
                    "  bytes %" PRIu64 " to %" PRIu64 " (sector %" PRIu64 ", %" PRIu64 " sectors)",
                    bad->v[i].offset, bad->v[i].offset + bad->v[i].length - 1,
                    bad->v[i].offset / a->sector_size,
                    (bad->v[i].length + a->sector_size - 1) / a->sector_size);
    if (bad->n > LOG_RANGES_MAX)
        joblog_line(a->log, "  and %zu more, in the manifest and the mapfile",
                    bad->n - LOG_RANGES_MAX);
}

void
papers_log_end(const struct acquisition *a)
{
    joblog_line(a->log, "Hashes of the media as acquired%s",
                a->result.unreadable.n ? " (unreadable sectors as zero)" : "");
    for (size_t i = 0; i < a->result.hashes.n; i++)
        fact(a, a->result.hashes.v[i].name, a->result.hashes.v[i].hex);
    for (size_t i = 0; i < a->n_dest; i++) {
        const struct sink_result *s = &a->result.sinks[i];

        if (s->failed)
            continue;
        joblog_line(a->log, "Segments of %s", a->dest[i].path);
        for (size_t k = 0; k < s->n_segments; k++)
            joblog_line(a->log, "  %s%s%s  %" PRIu64 " bytes  md5 %s  sha256 %s",
                        s->segments[k].directory ? s->segments[k].directory : "",
                        s->segments[k].directory ? "/" : "", s->segments[k].file,
                        s->segments[k].size, s->segments[k].md5, s->segments[k].sha256);
    }
    log_unreadable(a);
}

/* --- side files --- */

static int
write_sums(const struct acquisition *a, size_t i, const char *algorithm, struct err *err)
{
    const struct sink_result *s = &a->result.sinks[i];
    AUTO_FREE char *name = xasprintf("%s.%s", a->dest[i].name, algorithm);
    AUTO_FREE char *text = NULL;
    bool md5 = strcmp(algorithm, "md5") == 0;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    if (!f)
        return err_set(err, OUTCOME_FAILED, "not enough memory for '%s'", name);
    for (size_t k = 0; k < s->n_segments; k++)
        (void)fprintf(f, "%s  %s%s%s\n", md5 ? s->segments[k].md5 : s->segments[k].sha256,
                      s->segments[k].directory ? s->segments[k].directory : "",
                      s->segments[k].directory ? "/" : "", s->segments[k].file);
    if (fclose(f) != 0)
        return err_set(err, OUTCOME_FAILED, "not enough memory for '%s'", name);
    return outfile_write_one_of(a->dest[i].dir, name, text, n, false, err);
}

static int
write_map(const struct acquisition *a, size_t i, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.map", a->dest[i].name);
    AUTO_FREE char *command = papers_command_line(a);
    AUTO_FREE char *text = mapfile_text(a->length, &a->result.unreadable, command);

    if (!text)
        return err_set(err, OUTCOME_FAILED, "not enough memory for '%s'", name);
    return outfile_write_one_of(a->dest[i].dir, name, text, strlen(text), false, err);
}

int
papers_write_side_files(const struct acquisition *a, size_t i, struct err *err)
{
    if (write_sums(a, i, "md5", err) != 0 || write_sums(a, i, "sha256", err) != 0)
        return -1;
    return write_map(a, i, err);
}
