#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"
#include "verify/output.h"

#define FILES_SHOWN 20

static void
print_header(const struct job *job)
{
    const struct image_info *info = image_info(job->image);
    AUTO_FREE char *name = text_printable(job->operand);
    char size[SIZE_TEXT_MAX];

    (void)printf("%s: %s, %s (%" PRIu64 " bytes) in %zu segment%s\n", name,
                 info->format == IMAGE_E01 ? "E01" : "raw", size_human(info->media_size, size),
                 info->media_size, info->n_segments, info->n_segments == 1 ? "" : "s");
    if (job->location.found_beside) {
        AUTO_FREE char *manifest = text_printable(job->location.manifest_path);

        (void)printf("  with the manifest beside it, %s\n", manifest);
    }
}

static void
print_ranges(const struct ranges *set)
{
    const size_t most = 8;

    if (set->n == 0)
        return;
    (void)printf("  %-11s %-8s damaged media:", "", "");
    for (size_t i = 0; i < set->n && i < most; i++)
        (void)printf(" %" PRIu64 "-%" PRIu64, set->v[i].offset,
                     set->v[i].offset + set->v[i].length - 1);
    if (set->n > most)
        (void)printf(" and %zu more ranges", set->n - most);
    (void)printf(" (bytes)\n");
}

static void
print_checks(const struct job *job)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        const struct check *c = &job->checks[i];
        AUTO_FREE char *detail = text_printable(c->detail ? c->detail : "");

        (void)printf("  %-11s %-8s %s\n", check_name((enum check_id)i),
                     check_status_name(c->status), detail);
        if (c->status == STATUS_FAILED)
            print_ranges(&c->ranges);
    }
}

/* "/docs/a.txt (partition 4)", or the inode where there is no name. */
static char *
file_text(const json_t *file)
{
    AUTO_FREE char *path = json_get_bytes(file, "path");
    AUTO_FREE char *shown = path ? text_printable(path) : NULL;
    bool allocated = json_is_true(json_object_get(file, "allocated"));
    json_int_t inode = json_integer_value(json_object_get(file, "inode"));
    const json_t *partition = json_object_get(file, "partition");
    AUTO_FREE char *place =
        json_is_integer(partition)
            ? xasprintf(" (partition %" JSON_INTEGER_FORMAT "%s)", json_integer_value(partition),
                        allocated ? "" : ", deleted")
            : xstrdup(allocated ? "" : " (deleted)");

    return shown ? xasprintf("%s%s", shown, place)
                 : xasprintf("inode %" JSON_INTEGER_FORMAT "%s", inode, place);
}

static void
print_files(const struct job *job, const struct ranges *set, const char *what)
{
    json_t *files = where_within(job->files, set);
    size_t n = json_array_size(files);

    for (size_t i = 0; i < n && i < FILES_SHOWN; i++) {
        AUTO_FREE char *text = file_text(json_array_get(files, i));

        (void)printf("  %-11s %s %s\n", i == 0 ? what : "", i == 0 ? "hits" : "    ", text);
    }
    if (n > FILES_SHOWN)
        (void)printf("  %-11s      and %zu more files\n", "", n - FILES_SHOWN);
    json_decref(files);
}

/* What the damage, and what could not be read, means to the files on the disk. */
static void
print_where(const struct job *job)
{
    struct ranges damaged = {0};
    json_t *note;
    size_t i;

    if (job->files_problem) {
        AUTO_FREE char *text = text_printable(job->files_problem);

        (void)printf("  %-11s %s\n", "files", text);
    }
    if (!job->files)
        return;
    for (size_t k = 0; k < CHECK_COUNT; k++) {
        const struct ranges *r = &job->checks[k].ranges;

        for (i = 0; job->checks[k].status == STATUS_FAILED && i < r->n; i++)
            ranges_add(&damaged, r->v[i].offset, r->v[i].length);
    }
    print_files(job, &damaged, "damage");
    print_files(job, job_unreadable(job), "unreadable");
    json_array_foreach(json_object_get(job->files, "notes"), i, note)
    {
        AUTO_FREE char *text = text_printable(json_string_value(note));

        (void)printf("  %-11s %s\n", "files", text);
    }
    ranges_free(&damaged);
}

static void
print_hashes(const struct scan_result *scan)
{
    for (size_t i = 0; i < scan->n_media; i++) {
        const char *hex = lane_results(scan->media[i])->hex;

        if (*hex && scan->missing == 0)
            (void)printf("  %-11s %s\n", lane_hash_name(scan->media[i]), hex);
    }
}

/* What was read and written beside the image. */
static void
print_others(const struct job *job, const struct job_options *options)
{
    const struct against *a = options->against;
    char size[SIZE_TEXT_MAX];

    for (size_t i = 0; i < job->evidence.n; i++) {
        AUTO_FREE char *path = text_printable(job->evidence.v[i].path);
        const char *tool = job->evidence.v[i].tool;

        (void)printf("  %-11s %s (%s)\n", "hashes of", path, tool ? tool : "not understood");
    }
    if (a && a->is_device) {
        AUTO_FREE char *path = text_printable(a->path);

        (void)printf(
            "  %-11s the write block (%s) stays on '%s' until 'exhibit release' lifts it\n", "",
            a->write_block, path);
        if (a->flag_lost > 0)
            (void)printf("  %-11s the read-only flag was found cleared %" PRIu32
                         " times, and set again\n",
                         "", a->flag_lost);
    }
    if (job->salvaged) {
        AUTO_FREE char *path = text_printable(job->salvaged);

        (void)printf("salvaged: %s, %s of it lost to the damage\n", path,
                     job->lost > 0 ? size_human(job->lost, size) : "nothing");
    }
}

static void
print_verdict(const struct job *job)
{
    uint64_t bad = job->image ? job_unreadable_sectors(job) : 0;

    (void)printf("verdict: %s", verdict_name(job->verdict));
    if (job->verdict == VERDICT_UNREFERENCED)
        (void)printf(" (sound, but there is no hash to compare with)");
    if (bad > 0)
        (void)printf(", with %" PRIu64 " unreadable sector%s of the source held as zeros", bad,
                     bad == 1 ? "" : "s");
    (void)printf("\n");
}

void
output_text(const struct job *job, const struct job_options *options, bool quiet)
{
    if (!quiet && job->image)
        print_header(job);
    if (quiet || !job->image) {
        AUTO_FREE char *name = text_printable(job->operand);

        (void)printf("%s: %s", name, quiet ? "" : "\n");
    }
    if (!quiet) {
        print_checks(job);
        print_where(job);
        print_hashes(&job->scan);
        print_others(job, options);
    }
    print_verdict(job);
    (void)fflush(stdout);
}

/* The checks that failed, or why there was nothing to check. */
static void
print_reasons(const struct job *job)
{
    bool any = false;

    if (job->state == JOB_ERROR) {
        AUTO_FREE char *text = text_printable(job->err.text);

        (void)printf("%s", text);
        return;
    }
    for (int i = 0; job->state == JOB_CONCLUDED && i < CHECK_COUNT; i++) {
        if (job->checks[i].status != STATUS_FAILED)
            continue;
        (void)printf("%s%s", any ? ", " : "", check_name((enum check_id)i));
        any = true;
    }
    if (job->unreadable_sectors > 0)
        (void)printf("%s%" PRIu64 " unreadable sectors", any ? "; " : "", job->unreadable_sectors);
}

static const char *
word_for(const struct job *job)
{
    if (job->state == JOB_CONCLUDED)
        return verdict_name(job->verdict);
    return job->state == JOB_ERROR ? "error" : "interrupted";
}

void
output_table(const struct job *jobs, size_t n)
{
    char size[SIZE_TEXT_MAX];

    (void)printf("\n%-12s  %10s  %s\n", "VERDICT", "MEDIA", "IMAGE");
    for (size_t i = 0; i < n; i++) {
        const struct job *job = &jobs[i];
        AUTO_FREE char *name = text_printable(job->operand);

        (void)printf("%-12s  %10s  %s  ", word_for(job),
                     job->media_size > 0 ? size_human(job->media_size, size) : "-", name);
        print_reasons(job);
        (void)printf("\n");
    }
    (void)fflush(stdout);
}
