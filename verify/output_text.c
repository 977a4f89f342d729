#include <inttypes.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"
#include "verify/output.h"

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

static void
print_hashes(const struct scan_result *scan)
{
    for (size_t i = 0; i < scan->n_media; i++) {
        const char *hex = lane_results(scan->media[i])->hex;

        if (*hex && scan->missing == 0)
            (void)printf("  %-11s %s\n", lane_hash_name(scan->media[i]), hex);
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
output_text(const struct job *job, bool quiet)
{
    if (!quiet && job->image)
        print_header(job);
    if (quiet || !job->image) {
        AUTO_FREE char *name = text_printable(job->operand);

        (void)printf("%s: %s", name, quiet ? "" : "\n");
    }
    if (!quiet) {
        print_checks(job);
        print_hashes(&job->scan);
    }
    print_verdict(job);
    (void)fflush(stdout);
}
