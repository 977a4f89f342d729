#include "report/survey.h"

#include <inttypes.h>

#include "common/parser_run.h"
#include "common/text.h"
#include "report/layout.h"
#include "report/parser_reply.h"

/* Ten minutes, and a second for each 2 GiB: a volume whose metadata takes longer is made to. */
#define DEADLINE_BASE 600u
#define DEADLINE_BYTES_PER_SECOND (UINT64_C(2) << 30)

/* A table can name thousands of volumes, each made to hang: after this many, no further one is
   looked into. */
#define TIMEOUTS_MAX 8

static const char *const end_codes[] = {
    [PARSER_CRASHED] = "parser-crash",
    [PARSER_TIMED_OUT] = "parser-timeout",
    [PARSER_NONSENSE] = "parser-nonsense",
};

static uint32_t
deadline_for(const struct survey_options *options, uint64_t length)
{
    if (options->deadline > 0)
        return options->deadline;
    return DEADLINE_BASE + (uint32_t)(length / DEADLINE_BYTES_PER_SECOND % 1000000);
}

static int
run(struct report *r, const struct survey_options *options, const char *mode,
    struct reply_target *target, unsigned *timeouts, struct err *err)
{
    struct volume *v = target->volume;
    struct parser_request request = {
        .mode = mode,
        .image = options->image,
        .manifest = options->manifest,
        .sector_size = r->sector_size,
        .start = v ? v->start : 0,
        .length = v ? v->present : r->media_size,
        .examine_max = options->examine_max,
        .lenient = options->lenient,
        .stop = options->stop,
    };
    struct parser_result result;

    request.deadline = deadline_for(options, request.length);
    if (parser_run(&request, parser_reply_take, target, &result, err) != 0)
        return err->outcome == OUTCOME_INTERRUPTED
                   ? err_set(err, OUTCOME_INTERRUPTED, "interrupted; no report was written")
                   : -1;
    if (result.end == PARSER_FAILED)
        return err_set(err, OUTCOME_FAILED, "%s", result.text);
    if (v)
        v->complete = result.end == PARSER_DONE;
    if (result.end == PARSER_TIMED_OUT)
        ++*timeouts;
    if (result.end != PARSER_DONE)
        report_finding(r, end_codes[result.end], v ? v->name : "partition table",
                       "%s; what is said of it here may be incomplete", result.text);
    return 0;
}

/* Bytes of the volume that the source did not return. */
static uint64_t
unreadable_in(const struct report *r, const struct volume *v)
{
    const struct range *x = ranges_find(&r->unreadable, v->start);
    uint64_t stop = v->start + v->present;
    uint64_t sum = 0;

    if (!x)
        return 0;
    for (const struct range *end = r->unreadable.v + r->unreadable.n; x < end && x->offset < stop;
         x++) {
        uint64_t from = x->offset > v->start ? x->offset : v->start;
        uint64_t to = x->offset + x->length < stop ? x->offset + x->length : stop;

        sum += to - from;
    }
    return sum;
}

static struct volume *
add_volume(struct report *r, const struct partition *p, uint64_t start, uint64_t length)
{
    struct volume *v;

    r->volumes = xrealloc(r->volumes, r->n_volumes + 1, sizeof *r->volumes);
    v = &r->volumes[r->n_volumes++];
    *v = (struct volume){.partition = p, .start = start, .length = length};
    if (start < r->media_size)
        v->present = length < r->media_size - start ? length : r->media_size - start;
    v->unreadable = unreadable_in(r, v);
    v->name = p ? xasprintf("partition %" PRIu64 " (slot %s)", p->index, p->slot)
                : xstrdup("whole image");
    return v;
}

/* The parser's numbers are bounded (parser_reply.c), so that these products and sums fit. */
static void
list_volumes(struct report *r)
{
    if (!r->table.found) {
        (void)add_volume(r, NULL, 0, r->media_size);
        return;
    }
    for (size_t i = 0; i < r->table.n_parts; i++) {
        const struct partition *p = &r->table.parts[i];

        if (p->state != PART_ALLOCATED)
            continue;
        (void)add_volume(r, p, p->start * r->table.sector_size, p->length * r->table.sector_size);
    }
}

static void
check_sector_size(struct report *r)
{
    if (!r->table.found || r->table.sector_size == r->sector_size)
        return;
    if (r->sector_size_known)
        report_finding(r, "sector-size", "partition table",
                       "it counts in sectors of %" PRIu64 " bytes, the image says %" PRIu32,
                       r->table.sector_size, r->sector_size);
    else
        report_note(r, "the partition table counts in sectors of %" PRIu64 " bytes",
                    r->table.sector_size);
    /* What the table counts in is what its file systems were made for. */
    r->sector_size = (uint32_t)r->table.sector_size;
}

/* One volume, unless it lies past the end of the media or too many before it never came to an end.
 */
static int
look_into(struct report *r, const struct survey_options *options, struct reply_target *target,
          unsigned *timeouts, struct err *err)
{
    struct volume *v = target->volume;

    if (v->present == 0)
        return 0;
    if (*timeouts >= TIMEOUTS_MAX) {
        report_finding(r, "not-parsed", v->name,
                       "it was not looked into: %u volumes before it did not come to an end",
                       *timeouts);
        return 0;
    }
    return run(r, options, "volume", target, timeouts, err);
}

int
survey(struct report *r, const struct survey_options *options, struct err *err)
{
    struct reply_target target = {.report = r, .progress = options->progress};
    unsigned timeouts = 0;

    if (run(r, options, "table", &target, &timeouts, err) != 0)
        return -1;
    check_sector_size(r);
    list_volumes(r);
    layout_check(r);
    for (size_t i = 0; i < r->n_volumes; i++)
        target.total += r->volumes[i].present;
    for (size_t i = 0; i < r->n_volumes; i++) {
        target.volume = &r->volumes[i];
        if (look_into(r, options, &target, &timeouts, err) != 0)
            return -1;
        target.done += target.volume->present;
        if (options->progress)
            progress_update(options->progress, "report", target.done, target.total, 0);
    }
    return 0;
}
