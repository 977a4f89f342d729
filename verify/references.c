#include "verify/references.h"

#include "common/text.h"

static void
add_name(const char **list, size_t *n, const char *name)
{
    if (*n == SCAN_HASHES_MAX || digest_hex_length(name) == 0)
        return;
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(list[i], name) == 0)
            return;
    }
    list[(*n)++] = name;
}

static void
add_media(struct scan_spec *spec, const struct manifest_hashes *hashes)
{
    for (size_t i = 0; i < hashes->n; i++)
        add_name(spec->hashes, &spec->n_hashes, hashes->v[i].name);
}

/* A piece whose hash is not computed does not match: the check says so. */
static void
add_pieces(struct scan_spec *spec, const char *hash, const struct manifest_piece *v, size_t n)
{
    for (size_t i = 0; i < spec->n_pieces; i++) {
        if (spec->pieces[i].v == v && strcmp(spec->pieces[i].hash, hash) == 0)
            return;
    }
    if (spec->n_pieces == SCAN_PIECES_MAX || digest_hex_length(hash) == 0)
        return;
    spec->pieces[spec->n_pieces++] = (struct scan_pieces){.hash = hash, .v = v, .n = n};
}

static void
add_manifest(struct scan_spec *spec, const struct manifest *m)
{
    add_media(spec, &m->media_hashes);
    add_name(spec->file_hashes, &spec->n_file_hashes, "md5");
    add_name(spec->file_hashes, &spec->n_file_hashes, "sha256");
    if (!scan_pieces_in_order(m->pieces, m->n_pieces))
        return;
    for (size_t i = 0; i < m->n_pieces; i++) {
        for (size_t k = 0; k < m->pieces[i].hashes.n; k++)
            add_pieces(spec, m->pieces[i].hashes.v[k].name, m->pieces, m->n_pieces);
    }
}

static void
add_evidence(struct scan_spec *spec, const struct evidence *e)
{
    add_media(spec, &e->media);
    for (size_t i = 0; i < e->n_files; i++)
        add_name(spec->file_hashes, &spec->n_file_hashes, e->files[i].hash);
    for (size_t i = 0; i < e->n_pieces; i++)
        add_pieces(spec, e->pieces[i].hash, e->pieces[i].v, e->pieces[i].n);
}

void
references_choose(const struct references *refs, struct scan_spec *spec)
{
    if (refs->manifest)
        add_manifest(spec, refs->manifest);
    add_media(spec, &refs->info->stored);
    for (size_t i = 0; i < refs->evidence->n; i++)
        add_evidence(spec, &refs->evidence->v[i]);
    for (size_t i = 0; i < refs->n_asked; i++)
        add_name(spec->hashes, &spec->n_hashes, refs->asked[i]);
    add_name(spec->hashes, &spec->n_hashes, "md5");
    add_name(spec->hashes, &spec->n_hashes, "sha256");
}
