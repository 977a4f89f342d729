/* A manifest that is taken keeps the promises of its header, whoever wrote it. */
#include <stdint.h>

#include "common/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_segments(const struct manifest *m)
{
    uint64_t at = 0;

    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *s = &m->segments[i];

        if (s->media_offset != at || s->media_length > m->media_size - at)
            abort();
        at += s->media_length;
        if (strchr(s->file, '/') || s->file[0] == '\0' || strlen(s->md5) != 32 ||
            strlen(s->sha256) != 64 || (s->directory && s->directory[0] != '/'))
            abort();
    }
    if (at != m->media_size)
        abort();
}

static void
check_ranges(const struct manifest *m)
{
    for (size_t i = 0; i < m->n_pieces; i++) {
        const struct manifest_piece *p = &m->pieces[i];

        if (p->offset > m->media_size || p->length > m->media_size - p->offset)
            abort();
    }
    for (size_t i = 0; i < m->unreadable.n; i++) {
        const struct range *r = &m->unreadable.v[i];

        if (r->offset > m->media_size || r->length > m->media_size - r->offset)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = ERR_INIT;
    json_t *root = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL);
    struct manifest *m;

    if (!root)
        return 0;
    m = manifest_from_json(root, &err);
    if (!m) {
        if (err.text[0] == '\0')
            abort();
        return 0;
    }
    check_segments(m);
    check_ranges(m);
    manifest_free(m);
    return 0;
}
