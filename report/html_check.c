/*
 * The page's end: what was wrong with the content, and how to check the page with other tools.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/html.h"

#define FINDINGS_SHOWN 200

void
html_findings(FILE *f, const struct report *r)
{
    (void)fputs("<section id=\"findings\"><h2>Findings</h2>\n", f);
    if (r->n_findings == 0)
        (void)fputs("<p class=\"none\">Nothing hostile or unparsable was met.</p>\n", f);
    else
        (void)fputs("<ul class=\"findings\">\n", f);
    for (size_t i = 0; i < r->n_findings && i < FINDINGS_SHOWN; i++) {
        const struct finding *x = &r->findings[i];

        (void)fputs("<li><strong>", f);
        html_text(f, x->subject ? x->subject : "image");
        (void)fputs("</strong> ", f);
        html_text(f, x->text);
        (void)fputs(" <small class=\"mono\">", f);
        html_plain(f, x->code);
        (void)fputs("</small></li>\n", f);
    }
    if (r->n_findings > 0)
        (void)fputs("</ul>\n", f);
    if (r->n_findings > FINDINGS_SHOWN)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      r->n_findings - FINDINGS_SHOWN);
    if (r->n_notes > 0) {
        (void)fputs("<h3>Notes</h3><ul>\n", f);
        for (size_t i = 0; i < r->n_notes; i++) {
            (void)fputs("<li>", f);
            html_text(f, r->notes[i]);
            (void)fputs("</li>\n", f);
        }
        (void)fputs("</ul>\n", f);
    }
    (void)fprintf(f, "<p class=\"remark\">The disk was taken apart by a separate process%s.</p>\n",
                  !r->sandbox.known                           ? ""
                  : r->sandbox.missing && *r->sandbox.missing ? ", <strong>without the full "
                                                                "sandbox</strong>"
                                                              : " in a sandbox");
    if (r->sandbox.missing && *r->sandbox.missing) {
        (void)fputs("<p class=\"remark\">Missing: ", f);
        html_text(f, r->sandbox.missing);
        (void)fputs("</p>\n", f);
    }
    (void)fputs("</section>\n", f);
}

/* A file name as a word of a shell: quoted unless it is plainly harmless. */
static char *
shell_word(const char *s)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+";
    char *out;
    char *o;

    if (*s && *s != '-' && strspn(s, safe) == strlen(s))
        return xstrdup(s);
    out = xcalloc(strlen(s) + 1, 4);
    out[strlen(s) * 4 + 3] = '\0';
    o = out;
    *o++ = '\'';
    for (; *s; s++) {
        if (*s == '\'') {
            memcpy(o, "'\\''", 4);
            o += 4;
        } else {
            *o++ = *s;
        }
    }
    *o++ = '\'';
    return out;
}

static void
command(FILE *f, const char *what, const char *line)
{
    (void)fputs("<tr><td><code>", f);
    html_plain(f, line);
    (void)fprintf(f, "</code></td><td>%s</td></tr>\n", what);
}

static void
check_e01(FILE *f, const struct report *r, const char *first)
{
    AUTO_FREE char *verify = xasprintf("ewfverify %s", first);
    AUTO_FREE char *info = xasprintf("ewfinfo %s", first);

    command(f, "compares the media's MD5 with the one stored in the image", verify);
    command(f, "shows the case values and hashes that the image carries", info);
    (void)r;
}

/* More than one raw segment: the first, and a pattern that takes them in order. */
static void
check_raw(FILE *f, const json_t *segments, const char *first, const char *sums)
{
    size_t n = json_array_size(segments);
    const char *glob = n > 999 ? "[0-9]*" : "[0-9][0-9][0-9]";
    AUTO_FREE char *stem = xstrdup(first);
    AUTO_FREE char *line = NULL;

    if (n > 1 && strlen(stem) > 4 && stem[strlen(stem) - 1] != '\'') {
        stem[strlen(stem) - 3] = '\0';
        line = xasprintf("cat %s%s | %s", stem, glob, sums);
    } else {
        line = xasprintf("%s %s", sums, first);
    }
    command(f, "the hash of the media, to be compared with the one above", line);
}

static void
check_manifest_files(FILE *f, const struct report *r)
{
    AUTO_FREE char *sha256 = xasprintf("%s.sha256", r->name);
    AUTO_FREE char *map = xasprintf("%s.map", r->name);
    AUTO_FREE char *sha_word = shell_word(sha256);
    AUTO_FREE char *map_word = shell_word(map);
    AUTO_FREE char *sums = xasprintf("sha256sum -c %s", sha_word);
    AUTO_FREE char *log = xasprintf("ddrescuelog -t %s", map_word);
    AUTO_FREE char *list = xasprintf("ddrescuelog --list-blocks=- %s", map_word);

    command(f, "compares each segment file with its hash", sums);
    command(f, "counts what was read and what was not", log);
    if (r->unreadable.n > 0)
        command(f, "lists the unreadable sectors", list);
}

/* The signature is of the manifest, the time stamp of the first signature, or of the manifest. */
static void
check_proof(FILE *f, const struct report *r)
{
    const json_t *proof = json_object_get(r->facts, "proof");
    const json_t *signatures = json_object_get(proof, "signatures");
    const char *stamp = json_text_or_null(json_object_get(proof, "timestamp"), "file");
    const char *ledger = json_text_or_null(json_object_get(proof, "ledger"), "file");
    AUTO_FREE char *manifest = xasprintf("%s.manifest.json", r->name);
    AUTO_FREE char *of = shell_word(manifest);

    for (size_t i = 0; i < json_array_size(signatures) && i < 4; i++) {
        const char *file = json_text_or_null(json_array_get(signatures, i), "file");
        AUTO_FREE char *word = shell_word(file ? file : "");
        AUTO_FREE char *line =
            xasprintf("openssl cms -verify -binary -cades -inform DER -in %s -content %s "
                      "-CAfile ca.pem -out /dev/null",
                      word, of);

        command(f, "whose signature the manifest bears; ca.pem is the authority you trust", line);
    }
    if (stamp) {
        const char *first = json_text_or_null(json_array_get(signatures, 0), "file");
        AUTO_FREE char *word = shell_word(stamp);
        AUTO_FREE char *data = shell_word(first ? first : manifest);
        AUTO_FREE char *line =
            xasprintf("openssl ts -verify -in %s -data %s -CAfile ca.pem", word, data);

        command(f, "when it was there, as an authority says", line);
    }
    if (ledger) {
        AUTO_FREE char *word = shell_word(ledger);
        AUTO_FREE char *line = xasprintf("tail -n 1 %s | sha256sum", word);

        command(f, "the head of the ledger; of any line, what the next names as previous", line);
    }
}

static void
check_disk(FILE *f, const struct report *r, const char *first)
{
    AUTO_FREE char *mmls = xasprintf("mmls -b %" PRIu32 " %s", r->sector_size, first);

    if (r->table.found)
        command(f, "the partition table, row for row", mmls);
    for (size_t i = 0; i < r->n_volumes && i < 4; i++) {
        const struct volume *v = &r->volumes[i];
        AUTO_FREE char *line = NULL;

        if (!v->fs)
            continue;
        line = xasprintf("fsstat -b %" PRIu32 " -o %" PRIu64 " %s", r->sector_size,
                         v->start / r->sector_size, first);
        command(f,
                v->partition ? "the file system of a volume; -o is its first sector"
                             : "the file system",
                line);
    }
}

void
html_check(FILE *f, const struct report *r)
{
    const json_t *image = json_object_get(r->facts, "image");
    const json_t *segments = json_object_get(image, "segments");
    const char *format = json_text_or_null(image, "format");
    AUTO_FREE char *file = json_get_bytes(json_array_get(segments, 0), "file");
    AUTO_FREE char *first = shell_word(file ? file : r->name);

    (void)fputs("<section id=\"check\"><h2>How to check this without Exhibit</h2>\n"
                "<p>Every statement above can be checked with tools that other people wrote. In "
                "the directory of the image:</p>\n<table class=\"grid commands\"><thead><tr><th>"
                "Command</th><th>What it shows</th></tr></thead><tbody>\n",
                f);
    if (format && strcmp(format, "e01") == 0)
        check_e01(f, r, first);
    else
        check_raw(f, segments, first, "sha256sum");
    if (r->manifest_path)
        check_manifest_files(f, r);
    check_proof(f, r);
    check_disk(f, r, first);
    (void)fputs("</tbody></table></section>\n", f);
}
