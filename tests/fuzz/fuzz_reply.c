/*
 * What the parser child may say, from one that has been taken over: lines of JSON, taken until one
 * is refused. Whatever was taken until then, the writers must be able to write it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "report/layout.h"
#include "report/model.h"
#include "report/parser_reply.h"
#include "report/writer.h"

#define MEDIA_SIZE (UINT64_C(64) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct report *
new_report(void)
{
    struct report *r = xcalloc(1, sizeof *r);

    r->name = xstrdup("fuzz");
    r->image_path = xstrdup("fuzz.raw");
    r->created = xstrdup("2026-11-21T00:00:00Z");
    r->facts = json_object();
    r->media_size = MEDIA_SIZE;
    r->sector_size = 512;
    r->volumes = xcalloc(1, sizeof *r->volumes);
    r->volumes[0] = (struct volume){
        .name = xstrdup("partition 2"), .length = MEDIA_SIZE, .present = MEDIA_SIZE};
    r->n_volumes = 1;
    return r;
}

/* "V" before a line makes it one of the run over a volume. */
static bool
take_line(struct report *r, const char *line, size_t n)
{
    struct reply_target target = {.report = r};
    struct err err = ERR_INIT;
    json_t *message;
    const char *kind;
    bool taken;

    if (n > 0 && line[0] == 'V') {
        target.volume = &r->volumes[0];
        line++;
        n--;
    }
    message = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    kind = message ? json_text_or_null(message, "kind") : NULL;
    taken = kind && parser_reply_take(&target, kind, message, &err) == 0;
    if (kind && !taken && err.text[0] == '\0')
        abort();
    json_decref(message);
    return taken;
}

/* But for the one that runs another program. */
static void
write_all(const struct report *r)
{
    static struct paper paper = {.documents = ~0u};
    static struct stationery *stationery;
    struct err err = ERR_INIT;

    if (!stationery)
        stationery = stationery_load(NULL, NULL, &err);
    if (!stationery)
        abort();
    paper.stationery = stationery;
    for (size_t i = 0; i < n_writers; i++) {
        size_t size = 0;

        if (writers[i].write == write_pdf)
            continue;
        char *text = writers[i].write(r, &paper, &size, &err);

        if (!text)
            abort();
        free(text);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct report *r = new_report();
    const char *line = (const char *)data;
    const char *end = line + n;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);

        if (!take_line(r, line, length))
            break;
        line += length + 1;
    }
    layout_check(r);
    write_all(r);
    report_free(r);
    return 0;
}
