#include "report/deviations.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define COPIES_MAX 16

__attribute__((format(printf, 2, 3))) static void
add(struct report *r, const char *fmt, ...)
{
    json_t *holder = json_object();
    char *text;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup("out of memory");
    va_end(ap);
    json_set_text(holder, "text", text);
    (void)json_array_append_new(r->deviations, holder);
    free(text);
}

static bool
is(const json_t *object, const char *key, const char *expected)
{
    const char *s = json_text_or_null(object, key);

    return s && strcmp(s, expected) == 0;
}

static uint64_t
number(const json_t *object, const char *key)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    return json_get_u64(object, key, &n, &err) == 0 ? n : 0;
}

static void
of_source(struct report *r, const json_t *source)
{
    uint64_t offset = number(source, "offset");
    uint64_t size = number(source, "size");

    if (json_is_true(json_object_get(source, "changed_during_acquisition")))
        add(r, "the source file was changed while it was read");
    if (offset > 0 || (size > 0 && r->media_size < size))
        add(r,
            "only a part of the source was acquired: %" PRIu64 " bytes from byte %" PRIu64
            " on, of %" PRIu64,
            r->media_size, offset, size);
}

static void
of_hidden(struct report *r, const json_t *hidden)
{
    uint64_t hpa = number(hidden, "hpa");
    uint64_t dco = number(hidden, "dco");

    if (hpa > 0)
        add(r, "%" PRIu64 " sectors are hidden by a host protected area, and not in the image",
            hpa);
    if (dco > 0)
        add(r,
            "%" PRIu64
            " sectors are hidden by a device configuration overlay, and not in the image",
            dco);
}

static void
of_write_block(struct report *r, const json_t *block, bool device)
{
    const json_t *flag = json_object_get(block, "read_only_flag");
    uint64_t lost = number(flag, "lost");
    const json_t *monitor = json_object_get(block, "monitor");
    uint64_t writes = number(monitor, "writes");
    uint64_t discards = number(monitor, "discards");
    uint64_t refused = number(monitor, "refused");

    if (device && is(block, "level", "none"))
        add(r, "no write block was in force");
    if (lost > 0)
        add(r, "the read-only flag was found cleared %" PRIu64 " times", lost);
    else if (device && json_is_false(json_object_get(flag, "during")))
        add(r, "the read-only flag was not set all the time");
    if (json_is_true(json_object_get(block, "guard_lost")))
        add(r, "the write block in the kernel was taken away during the acquisition");
    if (writes > 0)
        add(r, "the I/O monitor saw %" PRIu64 " writes to the source", writes);
    if (discards > 0)
        add(r, "the I/O monitor saw %" PRIu64 " discards on the source", discards);
    if (refused > 0)
        add(r, "%" PRIu64 " attempts to change the source were refused", refused);
}

static void
of_acquisition(struct report *r, const json_t *acquisition)
{
    size_t resumed = json_array_size(json_object_get(acquisition, "resumed"));
    const char *missing = json_text_or_null(json_object_get(acquisition, "sandbox"), "missing");

    if (resumed > 0)
        add(r, "it was interrupted and resumed %zu time%s", resumed, resumed == 1 ? "" : "s");
    if (is(acquisition, "mode", "rescue"))
        add(r, "the source was read in rescue mode, not in one pass from start to end");
    if (json_is_false(json_object_get(json_object_get(acquisition, "clock"), "synchronized")))
        add(r, "the clock of the computer was not synchronised");
    if (missing && *missing)
        add(r, "the worker ran without its full sandbox: %s", missing);
}

static void
of_copies(struct report *r, const json_t *copies)
{
    size_t n = json_array_size(copies);

    for (size_t i = 0; i < n && i < COPIES_MAX; i++) {
        const json_t *copy = json_array_get(copies, i);
        AUTO_FREE char *path = json_get_bytes(copy, "path");

        if (is(copy, "status", "failed"))
            add(r, "the copy '%s' could not be written to its end", path ? path : "?");
    }
}

/* An acquisition may name further ones itself. */
static void
of_the_record(struct report *r, const json_t *acquisition)
{
    const json_t *list = json_object_get(acquisition, "deviations");
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n && i < 100; i++) {
        if (json_is_string(json_array_get(list, i)))
            add(r, "%s", json_string_value(json_array_get(list, i)));
    }
}

void
deviations_find(struct report *r)
{
    const json_t *source = json_object_get(r->facts, "source");
    const json_t *acquisition = json_object_get(r->facts, "acquisition");
    const json_t *verification = json_object_get(r->facts, "verification");

    r->deviations = json_array();
    if (!r->manifest_path)
        return;
    of_source(r, source);
    of_hidden(r, json_object_get(source, "hidden"));
    of_write_block(r, json_object_get(r->facts, "write_block"), is(source, "kind", "device"));
    of_acquisition(r, acquisition);
    if (r->unreadable.n > 0)
        add(r, "the source did not return %" PRIu64 " bytes", ranges_total(&r->unreadable));
    of_copies(r, json_object_get(json_object_get(r->facts, "image"), "copies"));
    if (is(verification, "status", "not-run"))
        add(r, "the image was not read back after it was written");
    if (is(verification, "status", "failed"))
        add(r, "the image did not read back as it was written");
    of_the_record(r, acquisition);
}
