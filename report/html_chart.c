/*
 * Smaller drawings: where the unreadable sectors lie, what the areas beside the files hold, and how
 * fast the source was read.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"
#include "report/html.h"
#include "report/svg.h"

#define WIDTH 1000.0

/* The map: cells in reading order, each a stretch of the media of the same length. */
#define MAP "map"
#define MAP_COLUMNS 100u
#define MAP_ROWS 16u
#define MAP_CELL 10.0

/* The bars. */
#define BARS "bars"
#define BAR_LEFT 330.0
#define BAR_STEP 26.0
#define BAR_HEIGHT 16.0
#define BAR_WIDTH (WIDTH - BAR_LEFT - 4)

/* The rate. */
#define RATE "rate"
#define RATE_LEFT 90.0
#define RATE_TOP 10.0
#define RATE_HEIGHT 150.0
#define RATE_POINTS 2000

/* Bytes of the range that the set covers. */
static uint64_t
covered(const struct ranges *set, uint64_t from, uint64_t to)
{
    const struct range *x = ranges_find(set, from);
    uint64_t sum = 0;

    for (; x && x < set->v + set->n && x->offset < to; x++) {
        uint64_t a = x->offset > from ? x->offset : from;
        uint64_t b = x->offset + x->length < to ? x->offset + x->length : to;

        sum += b - a;
    }
    return sum;
}

/* Of the whole rows that so many cells fill. */
static double
map_height(uint64_t cells)
{
    uint64_t rows = cells / MAP_COLUMNS;

    return (double)rows * MAP_CELL;
}

/* A cell with a spot for some, a filled one where nothing of it could be read. */
static void
draw_cell(FILE *f, size_t i, uint64_t bad, uint64_t whole)
{
    double x = (double)(i % MAP_COLUMNS) * MAP_CELL;
    double y = map_height(i);
    double side = bad >= whole ? MAP_CELL - 1 : bad * 2 >= whole ? MAP_CELL - 3 : MAP_CELL - 5;

    svg_rect(f, MAP, SVG_BAD, x + (MAP_CELL - side) / 2, y + (MAP_CELL - side) / 2, side, side);
}

void
html_unreadable_map(FILE *f, const struct report *r)
{
    uint64_t cell =
        (r->media_size + (uint64_t)MAP_COLUMNS * MAP_ROWS - 1) / (MAP_COLUMNS * MAP_ROWS);
    uint64_t n;
    uint64_t hit = 0;
    char human[SIZE_TEXT_MAX];

    if (r->unreadable.n == 0 || r->media_size == 0)
        return;
    if (cell < r->sector_size)
        cell = r->sector_size;
    n = (r->media_size + cell - 1) / cell;
    for (uint64_t i = 0; i < n; i++)
        hit += covered(&r->unreadable, i * cell, (i + 1) * cell) > 0;
    (void)fputs("<figure>", f);
    svg_begin(f, MAP, "Where the unreadable sectors lie", WIDTH, map_height(n + MAP_COLUMNS - 1));
    (void)fprintf(f,
                  "A map of the media in reading order, from left to right and from top to bottom: "
                  "%" PRIu64 " cells of %s, of which %" PRIu64 " hold unreadable sectors.",
                  n, size_human(cell, human), hit);
    svg_described(f, MAP);
    svg_rect(f, MAP, SVG_RAIL, 0, 0, WIDTH, map_height(n));
    if (n % MAP_COLUMNS != 0)
        svg_rect(f, MAP, SVG_RAIL, 0, map_height(n), (double)(n % MAP_COLUMNS) * MAP_CELL,
                 MAP_CELL);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t end = (i + 1) * cell < r->media_size ? (i + 1) * cell : r->media_size;
        uint64_t bad = covered(&r->unreadable, i * cell, end);

        if (bad > 0)
            draw_cell(f, i, bad, end - i * cell);
    }
    svg_end(f);
    (void)fprintf(
        f,
        "<figcaption class=\"legend\"><span>The media in reading order, %s a cell; marked: "
        "%" PRIu64 " cells with unreadable sectors (the larger the mark, the more of "
        "them)</span></figcaption></figure>\n",
        size_human(cell, human), hit);
}

struct bar {
    const char *name;
    struct tally tally;
};

/* The sums that are drawn; areas that are not there are left out. */
static size_t
list_bars(const struct report *r, struct bar *out)
{
    struct totals t;
    size_t n = 0;

    report_totals(r, &t);
    const struct bar all[] = {
        {"Sector slack, allocated", t.slack.of[FILE_ALLOCATED].kinds[SLACK_SECTOR]},
        {"Drive slack, allocated", t.slack.of[FILE_ALLOCATED].kinds[SLACK_DRIVE]},
        {"Sector slack, deleted", t.slack.of[FILE_DELETED].kinds[SLACK_SECTOR]},
        {"Drive slack, deleted", t.slack.of[FILE_DELETED].kinds[SLACK_DRIVE]},
        {"MFT-entry slack, in use", t.slack.of[FILE_ALLOCATED].kinds[SLACK_MFT]},
        {"MFT-entry slack, deleted", t.slack.of[FILE_DELETED].kinds[SLACK_MFT]},
        {"Volume slack", t.volume_slack},
        {"Not slack: partition gaps", t.gaps},
        {"Not slack: unallocated", t.unallocated.content},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].tally.bytes > 0)
            out[n++] = all[i];
    }
    return n;
}

static void
draw_bar(FILE *f, const struct bar *b, double y)
{
    const struct svg_text name = {.x = 0, .y = y + 13, .size = 14, .colour = "#1a2330"};
    const struct svg_text size = {
        .x = BAR_LEFT - 10, .y = y + 13, .size = 14, .anchor = "end", .colour = "#1a2330"};
    double whole = (double)b->tally.bytes;
    double data = (double)tally_nonzero(&b->tally) / whole * BAR_WIDTH;
    double zero = (double)b->tally.hist[0] / whole * BAR_WIDTH;
    char human[SIZE_TEXT_MAX];

    svg_text(f, &name, b->name);
    svg_text(f, &size, size_human(b->tally.bytes, human));
    svg_rect(f, BARS, SVG_NOT_SEEN, BAR_LEFT, y, BAR_WIDTH, BAR_HEIGHT);
    if (data + zero > 0)
        svg_rect(f, BARS, SVG_ZERO, BAR_LEFT, y, data + zero, BAR_HEIGHT);
    if (data > 0)
        svg_rect(f, BARS, SVG_DATA, BAR_LEFT, y, data < 1 ? 1 : data, BAR_HEIGHT);
}

void
html_slack_bars(FILE *f, const struct report *r)
{
    struct bar bars[9];
    size_t n = list_bars(r, bars);

    if (n == 0)
        return;
    (void)fputs("<figure>", f);
    svg_begin(f, BARS, "What stands in slack, gaps and free space", WIDTH, (double)n * BAR_STEP);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(f,
                      "%s: %" PRIu64 " bytes, of which %" PRIu64 " were examined and %" PRIu64
                      " of these are not zero. ",
                      bars[i].name, bars[i].tally.bytes, tally_examined(&bars[i].tally),
                      tally_nonzero(&bars[i].tally));
    svg_described(f, BARS);
    for (size_t i = 0; i < n; i++)
        draw_bar(f, &bars[i], (double)i * BAR_STEP + 4);
    svg_end(f);
    (void)fputs("<figcaption class=\"legend\"><span>Each bar is the whole of its area:</span>", f);
    svg_legend(f, BARS, SVG_DATA, "not zero");
    svg_legend(f, BARS, SVG_ZERO, "zero");
    svg_legend(f, BARS, SVG_NOT_SEEN, "not examined");
    (void)fputs("</figcaption></figure>\n", f);
}

struct rate {
    double from; /* seconds */
    double to;
    double bytes_per_second;
};

/* acquisition.rate: [ { seconds, bytes } … ], the seconds since the start and the bytes done by
   then. What does not rise is skipped: anyone may have written the manifest. */
static size_t
read_rates(const struct report *r, struct rate *out)
{
    const json_t *array = json_object_get(json_object_get(r->facts, "acquisition"), "rate");
    size_t n = 0;
    double seconds = 0;
    double bytes = 0;

    for (size_t i = 0; i < json_array_size(array) && n < RATE_POINTS; i++) {
        const json_t *v = json_array_get(array, i);
        double s = json_number_value(json_object_get(v, "seconds"));
        double b = json_number_value(json_object_get(v, "bytes"));

        if (i == 0 && s == 0 && b >= 0 && b < 1e19) { /* a resumed job does not start at none */
            bytes = b;
            continue;
        }
        if (!(s > seconds) || !(b >= bytes) || s > 1e9 || b > 1e19)
            continue;
        out[n++] = (struct rate){seconds, s, (b - bytes) / (s - seconds)};
        seconds = s;
        bytes = b;
    }
    return n;
}

static void
draw_rates(FILE *f, const struct rate *rates, size_t n, double top)
{
    double width = WIDTH - RATE_LEFT - 10;
    double end = rates[n - 1].to;

    (void)fputs("<path fill=\"none\" stroke=\"#1f4e79\" stroke-width=\"2\" d=\"", f);
    for (size_t i = 0; i < n; i++) {
        double y = RATE_TOP + RATE_HEIGHT * (1 - rates[i].bytes_per_second / top);

        (void)fprintf(f, "%s%.1f %.1fH%.1f", i == 0 ? "M" : "L",
                      RATE_LEFT + width * rates[i].from / end, y,
                      RATE_LEFT + width * rates[i].to / end);
    }
    (void)fputs("\"/>\n", f);
}

static void
rate_axes(FILE *f, double top, double seconds)
{
    for (unsigned i = 0; i <= 2; i++) {
        double y = RATE_TOP + RATE_HEIGHT * (2 - i) / 2;
        const struct svg_text at = {.x = RATE_LEFT - 8, .y = y + 5, .size = 14, .anchor = "end"};
        char human[SIZE_TEXT_MAX];
        AUTO_FREE char *text = xasprintf("%s/s", size_human((uint64_t)(top / 2 * i), human));

        (void)fprintf(f, "<path stroke=\"#d5dbe3\" d=\"M%.0f %.1fH%.0f\"/>\n", RATE_LEFT, y,
                      WIDTH - 10);
        svg_text(f, &at, text);
    }
    for (unsigned i = 0; i <= 2; i++) {
        static const char *const anchors[] = {"start", "middle", "end"};
        const struct svg_text at = {.x = RATE_LEFT + (WIDTH - RATE_LEFT - 10) / 2 * i,
                                    .y = RATE_TOP + RATE_HEIGHT + 20,
                                    .size = 14,
                                    .anchor = anchors[i]};
        uint64_t s = (uint64_t)(seconds / 2 * i);
        AUTO_FREE char *text =
            xasprintf("%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);

        svg_text(f, &at, text);
    }
}

void
html_rate(FILE *f, const struct report *r)
{
    AUTO_FREE struct rate *rates = xcalloc(RATE_POINTS, sizeof *rates);
    size_t n = read_rates(r, rates);
    double low = 0;
    double top = 0;
    char human[3][SIZE_TEXT_MAX];

    if (n < 2)
        return;
    low = rates[0].bytes_per_second;
    for (size_t i = 0; i < n; i++) {
        top = rates[i].bytes_per_second > top ? rates[i].bytes_per_second : top;
        low = rates[i].bytes_per_second < low ? rates[i].bytes_per_second : low;
    }
    if (!(top >= 1))
        return;
    (void)fputs("<section><h2>Read rate</h2><figure>", f);
    svg_begin(f, RATE, "Read rate over the acquisition", WIDTH, RATE_TOP + RATE_HEIGHT + 28);
    (void)fprintf(
        f,
        "The source was read for %.0f seconds, at %s a second at least and %s a second at "
        "most, in %zu intervals.",
        rates[n - 1].to, size_human((uint64_t)low, human[0]), size_human((uint64_t)top, human[1]),
        n);
    svg_described(f, RATE);
    rate_axes(f, top, rates[n - 1].to);
    draw_rates(f, rates, n, top);
    svg_end(f);
    (void)fprintf(
        f,
        "<figcaption class=\"legend\"><span>Bytes of the source a second over the time of "
        "the acquisition: %s/s at least, %s/s at most.</span></figcaption></figure>"
        "</section>\n",
        human[0], human[1]);
}
