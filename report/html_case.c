/*
 * The page's tables about the case: who, what, how, and with which hashes.
 */
#include <inttypes.h>

#include "common/json.h"
#include "report/html.h"

/* Rows that a printed page can bear; the JSON report has all. */
#define SEGMENT_ROWS 1000
#define PIECE_ROWS 1000
#define RANGE_ROWS 2000

static void
facts_section(FILE *f, const struct report *r, const struct fields_section *s)
{
    (void)fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n<table class=\"facts\">\n", s->id, s->title);
    if (!html_facts(f, r, s))
        html_fact(f, s->title, "nothing is recorded");
    (void)fputs("</table></section>\n", f);
}

void
html_case(FILE *f, const struct report *r)
{
    facts_section(f, r, &fields_case);
}

void
html_source(FILE *f, const struct report *r)
{
    facts_section(f, r, &fields_source);
}

static const struct {
    const char *level;
    const char *meaning;
} levels[] = {
    {"bpf-lsm", "Programs in the kernel refused every way of writing to the source that they know, "
                "also to root, together with the read-only flag."},
    {"read-only-flag", "The kernel's read-only flag was set on the disk and on each of its "
                       "partitions, and read back. It stops ordinary writes; it does not stop "
                       "pass-through commands, nor code of the kernel itself."},
    {"hardware", "The examiner states that a hardware write blocker was used; the software cannot "
                 "check it. What the machine itself saw stands beside."},
    {"none", "No write block was in force."},
};

void
html_write_block(FILE *f, const struct report *r)
{
    const struct fields_section *s = &fields_write_block;
    const char *level = json_text_or_null(json_object_get(r->facts, s->key), "level");

    (void)fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n<table class=\"facts\">\n", s->id, s->title);
    if (!html_facts(f, r, s))
        html_fact(f, s->title, "nothing is recorded");
    for (size_t i = 0; level && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(level, levels[i].level) == 0)
            html_fact(f, "What that means", levels[i].meaning);
    }
    (void)fputs("</table></section>\n", f);
}

void
html_acquisition(FILE *f, const struct report *r)
{
    facts_section(f, r, &fields_acquisition);
}

/* What each state of a signature means stands beside it: "intact" is not "trusted". */
void
html_proof(FILE *f, const struct report *r)
{
    const struct fields_section *s = &fields_proof;

    (void)fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n<table class=\"facts\">\n", s->id, s->title);
    if (!html_facts(f, r, s))
        html_fact(f, s->title, "nothing is recorded");
    (void)fputs("</table>\n<p class=\"remark\">“Intact”: it fits what it is of, but nobody was "
                "named to trust whose authority its certificate could lead to. “Trusted”: it "
                "leads to one that was named. “Whole”: no event of the ledger was changed, "
                "removed or moved; whether its end is complete, only a head noted elsewhere "
                "shows.</p></section>\n",
                f);
}

void
html_deviations(FILE *f, const struct report *r)
{
    size_t n = json_array_size(r->deviations);

    (void)fputs("<section id=\"deviations\"><h2>Deviations</h2>\n", f);
    if (n == 0)
        (void)fprintf(f, "<p class=\"none\">%s</p>\n",
                      r->manifest_path ? "The record names none." : "Nothing is recorded.");
    else
        (void)fputs("<ul>\n", f);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_text_or_null(json_array_get(r->deviations, i), "text");

        (void)fputs("<li>", f);
        html_text(f, text ? text : "");
        (void)fputs("</li>\n", f);
    }
    (void)fputs(n > 0 ? "</ul></section>\n" : "</section>\n", f);
}

#define CHECK_ROWS 200

/* The checks of exhibit-verify(1) as the manifest keeps them. */
static void
verification_checks(FILE *f, const json_t *checks)
{
    static const char *const columns[] = {"name", "target", "status", "detail"};
    size_t n = json_array_size(checks);

    if (n == 0)
        return;
    (void)fputs("<table class=\"grid\"><thead><tr><th>Check</th><th>Of</th><th>Result</th><th>"
                "Detail</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < n && i < CHECK_ROWS; i++) {
        (void)fputs("<tr>", f);
        for (size_t k = 0; k < sizeof columns / sizeof columns[0]; k++) {
            (void)fputs(k % 2 == 0 ? "<td>" : "<td class=\"w\">", f);
            html_value(f, columns[k], json_object_get(json_array_get(checks, i), columns[k]));
            (void)fputs("</td>", f);
        }
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</tbody></table>\n", f);
    if (n > CHECK_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      n - CHECK_ROWS);
}

/* The hashes among an object's fields, one below the other. */
static void
hash_cell(FILE *f, const json_t *object)
{
    static const char *const not_hashes[] = {"file",         "directory",    "size",   "offset",
                                             "media_offset", "media_length", "length", NULL};
    const char *key;
    json_t *v;
    bool any = false;

    json_object_foreach((json_t *)object, key, v)
    {
        char buf[FIELDS_LABEL_MAX];
        bool other = !json_is_string(v) || fields_is_hidden(key);

        for (const char *const *p = not_hashes; *p; p++)
            other = other || strcmp(*p, key) == 0;
        if (other)
            continue;
        (void)fputs(any ? "<br><i>" : "<i>", f);
        html_plain(f, fields_label(key, buf));
        (void)fputs("</i> ", f);
        html_plain(f, json_string_value(v));
        any = true;
    }
    if (!any)
        (void)fputs("not recorded", f);
}

static uint64_t
number(const json_t *object, const char *key)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    return json_get_u64(object, key, &n, &err) == 0 ? n : 0;
}

static void
pieces(FILE *f, const json_t *list)
{
    size_t n = json_array_size(list);

    if (n == 0)
        return;
    (void)fputs(
        "<h3>Piecewise hashes</h3>\n<table class=\"grid\"><thead><tr><th class=\"n\">#</th>"
        "<th class=\"n\">First byte</th><th class=\"n\">Bytes</th><th>Hashes</th></tr></thead>"
        "<tbody>\n",
        f);
    for (size_t i = 0; i < n && i < PIECE_ROWS; i++) {
        const json_t *piece = json_array_get(list, i);

        (void)fprintf(f, "<tr><td class=\"n\">%zu</td><td class=\"n\">", i + 1);
        html_number(f, number(piece, "offset"));
        (void)fputs("</td><td class=\"n\">", f);
        html_number(f, number(piece, "length"));
        (void)fputs("</td><td class=\"hash\">", f);
        hash_cell(f, piece);
        (void)fputs("</td></tr>\n", f);
    }
    (void)fputs("</tbody></table>\n", f);
    if (n > PIECE_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      n - PIECE_ROWS);
}

static void
verification(FILE *f, const struct report *r)
{
    const json_t *facts = json_object_get(r->facts, fields_verification.key);

    (void)fputs("<h3>Verification</h3>\n", f);
    if (!json_is_object(facts)) {
        (void)fputs("<p class=\"none\">None is recorded, and this report does not verify the "
                    "image.</p>\n",
                    f);
        return;
    }
    (void)fputs("<table class=\"facts\">\n", f);
    (void)html_facts(f, r, &fields_verification);
    (void)fputs("</table>\n", f);
    verification_checks(f, json_object_get(facts, "checks"));
}

static void
hash_rows(FILE *f, const json_t *hashes)
{
    const char *key;
    json_t *v;

    if (json_object_size(hashes) == 0)
        html_fact(f, "Acquisition hash", "none is recorded");
    json_object_foreach((json_t *)hashes, key, v)
    {
        char buf[FIELDS_LABEL_MAX];

        (void)fputs("<tr><th scope=\"row\">", f);
        html_text(f, fields_label(key, buf));
        (void)fputs("</th><td class=\"hash\">", f);
        html_value(f, key, v);
        (void)fputs("</td></tr>\n", f);
    }
}

void
html_hashes(FILE *f, const struct report *r)
{
    json_t *media = json_object_get(r->facts, "media");
    const json_t *hashes = json_object_get(media, "hashes");

    (void)fputs("<section id=\"hashes\"><h2>Hashes and verification</h2>\n"
                "<table class=\"facts\">\n",
                f);
    hash_rows(f, hashes);
    (void)fputs("</table>\n", f);
    if (json_object_size(hashes) > 0)
        (void)fprintf(f, "<p class=\"remark\">The hashes are of the media%s%s.</p>\n",
                      r->manifest_path ? " as acquired" : ", as the image itself records them",
                      r->unreadable.n > 0 ? "; unreadable sectors count as the zeros that stand "
                                            "in their place"
                                          : "");
    verification(f, r);
    pieces(f, json_object_get(media, "piecewise"));
    (void)fputs("</section>\n", f);
}

static void
segment_row(FILE *f, size_t i, const json_t *s)
{
    (void)fprintf(f, "<tr><td class=\"n\">%zu</td><td class=\"w\">", i + 1);
    html_value(f, "file", json_object_get(s, "file"));
    (void)fputs("<br><small>", f);
    html_number(f, number(s, "size"));
    (void)fputs(" bytes", f);
    if (json_is_string(json_object_get(s, "directory"))) {
        (void)fputs(" in ", f);
        html_value(f, "path", json_object_get(s, "directory"));
    }
    (void)fputs("<br>media from byte ", f);
    html_number(f, number(s, "media_offset"));
    (void)fputs(", ", f);
    html_number(f, number(s, "media_length"));
    (void)fputs(" bytes</small></td><td class=\"hash\">", f);
    hash_cell(f, s);
    (void)fputs("</td></tr>\n", f);
}

void
html_segments(FILE *f, const struct report *r)
{
    const json_t *image = json_object_get(r->facts, "image");
    const json_t *segments = json_object_get(image, "segments");
    size_t n = json_array_size(segments);

    (void)fputs("<section id=\"image\"><h2>Image</h2>\n<table class=\"facts\">\n", f);
    (void)html_facts(f, r, &fields_image);
    (void)fputs("</table>\n<table class=\"grid\"><thead><tr><th class=\"n\">#</th><th>Segment "
                "file</th><th>Hashes of the file</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < n && i < SEGMENT_ROWS; i++)
        segment_row(f, i, json_array_get(segments, i));
    (void)fputs("</tbody></table>\n", f);
    if (n > SEGMENT_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      n - SEGMENT_ROWS);
    (void)fputs("</section>\n", f);
}

static void
range_cells(FILE *f, const struct report *r, size_t i)
{
    const struct range *x = &r->unreadable.v[i];

    (void)fprintf(f, "<td class=\"n\">%zu</td><td class=\"n\">", i + 1);
    html_number(f, x->offset);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, x->offset / r->sector_size);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, x->length);
    (void)fputs("</td>", f);
}

/* Two ranges side by side, the second half of them to the right. */
static void
range_table(FILE *f, const struct report *r, size_t n)
{
    static const char head[] = "<th class=\"n\">#</th><th class=\"n\">First byte</th><th "
                               "class=\"n\">First sector</th><th class=\"n\">Bytes</th>";
    size_t half = (n + 1) / 2;

    (void)fprintf(f, "<table class=\"grid ranges\"><thead><tr>%s%s</tr></thead><tbody>\n", head,
                  n > 1 ? head : "");
    for (size_t i = 0; i < half; i++) {
        (void)fputs("<tr>", f);
        range_cells(f, r, i);
        if (half + i < n)
            range_cells(f, r, half + i);
        else if (n > 1)
            (void)fputs("<td colspan=\"4\"></td>", f);
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</tbody></table>\n", f);
}

void
html_unreadable(FILE *f, const struct report *r)
{
    uint64_t total = ranges_total(&r->unreadable);
    size_t n = r->unreadable.n;

    (void)fputs("<section id=\"unreadable\"><h2>Unreadable ranges</h2>\n", f);
    if (n == 0) {
        (void)fputs("<p class=\"none\">None is recorded.</p></section>\n", f);
        return;
    }
    (void)fputs("<p>The source did not return ", f);
    html_bytes(f, total);
    (void)fprintf(f, " in %zu range%s, ", n, n == 1 ? "" : "s");
    html_share(f, total, r->media_size);
    (void)fputs(" of the media. In the image zeros stand in their place.</p>\n", f);
    range_table(f, r, n < RANGE_ROWS ? n : RANGE_ROWS);
    if (n > RANGE_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      n - RANGE_ROWS);
    (void)fputs("</section>\n", f);
}
