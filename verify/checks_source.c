/*
 * The check against the source that the image was taken from.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "verify/checks.h"

static void
compare_sizes(const struct check_input *in, struct check *c)
{
    const struct against *a = in->against;
    uint64_t media = image_info(in->image)->media_size;

    if (a->size != in->source_size)
        check_fail(c, false, "'%s' has %" PRIu64 " bytes, the image's source had %" PRIu64, a->path,
                   a->size, in->source_size);
    if (a->size < in->source_offset || a->size - in->source_offset < media)
        check_fail(c, false, "the image has %" PRIu64 " bytes past the end of '%s'",
                   media - (a->size < in->source_offset ? 0 : a->size - in->source_offset),
                   a->path);
}

/* A solid-state disk may erase by itself what was deleted before it was seized. */
static const char *
word_on_trim(const struct check_input *in)
{
    if (!in->against->solid_state)
        return "";
    if (in->compare->different.n == 0)
        return "; the disk is not rotational: with TRIM and garbage collection an SSD erases what "
               "no file uses on its own, whenever it has power, so a later comparison may differ";
    return "; the disk is not rotational: with TRIM and garbage collection an SSD erases what no "
           "file uses on its own, whenever it has power, so that a difference does not show that "
           "somebody wrote to it";
}

static void
append(char **text, const char *what, const struct ranges *set)
{
    AUTO_FREE char *before = *text;

    if (set->n > 0)
        *text = xasprintf("%s; not compared: %" PRIu64 " bytes %s", before ? before : "",
                          ranges_total(set), what);
    else
        *text = xstrdup(before ? before : "");
}

/* Another disk of the same content is a copy; one of other content is perhaps the wrong one. */
static char *
word_on_identity(const struct check_input *in)
{
    const struct manifest *m = in->location->manifest;
    const json_t *source = m ? json_object_get(m->root, "source") : NULL;
    const char *had = source ? json_text_or_null(source, "serial") : NULL;

    if (!had || !in->against->is_device || strcmp(had, in->against->serial) == 0)
        return xstrdup("");
    if (*in->against->serial == '\0')
        return xasprintf("; it gives no serial number, the image's source had '%s'", had);
    return xasprintf("; its serial number is '%s', that of the image's source was '%s'",
                     in->against->serial, had);
}

/* Beside every result: what lies on neither side of the comparison is named. */
static char *
remarks_of(const struct check_input *in)
{
    uint64_t zero = in->compare->now_zero;
    char *text =
        zero ? xasprintf("; %" PRIu64 " of the differing bytes are zero there now", zero) : NULL;
    AUTO_FREE char *identity = word_on_identity(in);
    char *all;

    append(&text, "that could not be read when the image was made", in->unreadable);
    append(&text, "that the source does not return now", &in->compare->unreadable);
    append(&text, "that are damaged in the image", &in->compare->damaged);
    append(&text, "that are missing in the image", &in->scan->missing_media);
    all = xasprintf("%s%s%s", identity, text, word_on_trim(in));
    free(text);
    return all;
}

static void
add_remark(struct check *c, const char *text)
{
    AUTO_FREE char *before = c->detail;

    c->detail = xasprintf("%s%s", before ? before : "", text);
}

void
check_source(const struct check_input *in, struct check *c)
{
    const struct compare_result *r = in->compare;
    AUTO_FREE char *rest = NULL;

    if (!in->against) {
        check_skip(c, "no device was given to compare with");
        return;
    }
    c->target = xstrdup(in->against->path);
    compare_sizes(in, c);
    if (r->different.n > 0)
        check_fail(c, false,
                   "%" PRIu64 " bytes differ, in %zu range%s; the first from media offset %" PRIu64
                   " on",
                   ranges_total(&r->different), r->different.n, r->different.n == 1 ? "" : "s",
                   r->different.v[0].offset);
    for (size_t i = 0; i < r->different.n; i++)
        ranges_add(&c->ranges, r->different.v[i].offset, r->different.v[i].length);
    if (r->gone)
        check_fail(c, true,
                   "'%s' went away at media offset %" PRIu64 ": %s; what follows was not "
                   "compared",
                   in->against->path, r->gone_at, strerror(r->gone));
    rest = remarks_of(in);
    if (c->status != STATUS_FAILED && r->compared == 0)
        check_skip(c, "nothing could be compared%s", rest);
    else if (c->status != STATUS_FAILED)
        check_pass(c, "%" PRIu64 " bytes are the same%s", r->compared, rest);
    else
        add_remark(c, rest);
}
