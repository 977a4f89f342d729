#include "common/manifest.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

/* Far above what any acquisition writes (14,971 E01 segments, a piece for each MiB of a large
   disk), and still a bound on what a forged file can make us hold. */
#define MANIFEST_FILE_MAX ((size_t)256 << 20)

/* Hexadecimal is kept in lower case, whatever the letters of the file. */
static void
copy_hex(char out[DIGEST_HEX_MAX], const char *hex)
{
    size_t n = 0;

    for (; hex[n] && n + 1 < DIGEST_HEX_MAX; n++)
        out[n] = hex[n] >= 'A' && hex[n] <= 'F' ? (char)(hex[n] - 'A' + 'a') : hex[n];
    out[n] = '\0';
}

void
manifest_hash_add(struct manifest_hashes *hashes, const char *name, const char *hex)
{
    struct manifest_hash *h;

    hashes->v = xrealloc(hashes->v, hashes->n + 1, sizeof *hashes->v);
    h = &hashes->v[hashes->n++];
    (void)snprintf(h->name, sizeof h->name, "%s", name);
    copy_hex(h->hex, hex);
}

const char *
manifest_hash_find(const struct manifest_hashes *hashes, const char *name)
{
    for (size_t i = 0; i < hashes->n; i++) {
        if (strcmp(hashes->v[i].name, name) == 0)
            return hashes->v[i].hex;
    }
    return NULL;
}

void
manifest_hashes_free(struct manifest_hashes *hashes)
{
    free(hashes->v);
    *hashes = (struct manifest_hashes){0};
}

json_t *
manifest_hashes_json(const struct manifest_hashes *hashes)
{
    json_t *object = json_object();

    for (size_t i = 0; i < hashes->n; i++)
        json_set_text(object, hashes->v[i].name, hashes->v[i].hex);
    return object;
}

/* A hash must be hexadecimal and of its algorithm's full length, so that no comparison can be
   passed by a short one. An algorithm that this OpenSSL lacks is kept: it then fails to match. */
static int
check_hash(const char *name, const char *hex, struct err *err)
{
    uint8_t raw[DIGEST_SIZE_MAX];
    size_t expected = digest_hex_length(name);

    if (strlen(name) >= DIGEST_NAME_MAX || hex_decode(hex, raw, sizeof raw) <= 0 ||
        (expected != 0 && strlen(hex) != expected))
        return err_set(err, OUTCOME_FAILED, "'%s' is not a %s hash", hex, name);
    return 0;
}

static int
read_hash(const json_t *object, const char *name, char out[DIGEST_HEX_MAX], struct err *err)
{
    const char *hex;

    if (json_get_text(object, name, &hex, err) != 0 || check_hash(name, hex, err) != 0)
        return -1;
    copy_hex(out, hex);
    return 0;
}

static int
read_hashes(json_t *object, struct manifest_hashes *out, struct err *err)
{
    const char *name;
    json_t *v;

    json_object_foreach(object, name, v)
    {
        if (!json_is_string(v))
            return err_set(err, OUTCOME_FAILED, "hash '%s' is not a string", name);
        if (check_hash(name, json_string_value(v), err) != 0)
            return -1;
        manifest_hash_add(out, name, json_string_value(v));
    }
    return 0;
}

/* A name that could lead out of the directory would let a manifest point at any file. */
static int
read_file_name(const json_t *v, char **out, struct err *err)
{
    char *name = json_get_bytes(v, "file");

    *out = name;
    if (!name || *name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return err_set(err, OUTCOME_FAILED, "field 'file' is not a plain file name");
    return 0;
}

static int
read_directory(const json_t *v, char **out, struct err *err)
{
    if (!json_object_get(v, "directory"))
        return 0;
    *out = json_get_bytes(v, "directory");
    if (!*out || **out != '/')
        return err_set(err, OUTCOME_FAILED, "field 'directory' is not an absolute path");
    return 0;
}

static int
read_segment(const json_t *v, struct manifest_segment *s, struct err *err)
{
    if (read_file_name(v, &s->file, err) != 0 || read_directory(v, &s->directory, err) != 0)
        return -1;
    if (json_get_u64(v, "size", &s->size, err) != 0 ||
        json_get_u64(v, "media_offset", &s->media_offset, err) != 0 ||
        json_get_u64(v, "media_length", &s->media_length, err) != 0)
        return -1;
    return read_hash(v, "md5", s->md5, err) == 0 ? read_hash(v, "sha256", s->sha256, err) : -1;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One file cannot be two segments. */
static int
check_names(const struct manifest *m, struct err *err)
{
    AUTO_FREE char **names = xcalloc(m->n_segments, sizeof *names);

    for (size_t i = 0; i < m->n_segments; i++)
        names[i] = m->segments[i].file;
    qsort(names, m->n_segments, sizeof *names, compare_names);
    for (size_t i = 1; i < m->n_segments; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            return err_set(err, OUTCOME_FAILED, "'%s' is named as two segments", names[i]);
    }
    return 0;
}

static int
read_segments(const json_t *array, struct manifest *m, struct err *err)
{
    uint64_t at = 0;

    if (!json_is_array(array) || json_array_size(array) == 0)
        return err_set(err, OUTCOME_FAILED, "field 'image.segments' is missing or empty");
    m->segments = xcalloc(json_array_size(array), sizeof *m->segments);
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct manifest_segment *s = &m->segments[m->n_segments++];

        if (read_segment(json_array_get(array, i), s, err) != 0)
            return err_context(err, "segment %zu", i + 1);
        if (s->media_offset != at || s->media_length > m->media_size - at)
            return err_set(err, OUTCOME_FAILED, "segment %zu: its media range does not follow",
                           i + 1);
        at += s->media_length;
    }
    if (at != m->media_size)
        return err_set(err, OUTCOME_FAILED, "the segments do not cover the media");
    return check_names(m, err);
}

static int
read_image(const json_t *image, struct manifest *m, struct err *err)
{
    const char *format;
    uint64_t bps;
    uint64_t spc = 0;

    if (json_get_text(image, "format", &format, err) != 0 ||
        json_get_u64(image, "media_size", &m->media_size, err) != 0 ||
        json_get_u64(image, "bytes_per_sector", &bps, err) != 0)
        return -1;
    if (strcmp(format, "e01") != 0 && strcmp(format, "raw") != 0)
        return err_set(err, OUTCOME_FAILED, "image format '%s' is unknown", format);
    if (strcmp(format, "e01") == 0 && json_get_u64(image, "sectors_per_chunk", &spc, err) != 0)
        return -1;
    if (bps == 0 || bps > UINT32_MAX || spc > UINT32_MAX)
        return err_set(err, OUTCOME_FAILED, "the sector or chunk size is absurd");
    m->format = xstrdup(format);
    m->bytes_per_sector = (uint32_t)bps;
    m->sectors_per_chunk = (uint32_t)spc;
    return read_segments(json_object_get(image, "segments"), m, err);
}

/* A piece's hashes stand beside its offset and length. */
static int
read_piece(json_t *v, struct manifest_piece *piece, struct err *err)
{
    json_t *hashes = json_copy(v);
    int r;

    (void)json_object_del(hashes, "offset");
    (void)json_object_del(hashes, "length");
    r = read_hashes(hashes, &piece->hashes, err);
    json_decref(hashes);
    if (r != 0 || json_get_u64(v, "offset", &piece->offset, err) != 0 ||
        json_get_u64(v, "length", &piece->length, err) != 0)
        return -1;
    if (piece->length == 0)
        return err_set(err, OUTCOME_FAILED, "it is empty");
    return 0;
}

static int
read_pieces(json_t *array, struct manifest *m, struct err *err)
{
    uint64_t at = 0;

    if (!array)
        return 0;
    if (!json_is_array(array))
        return err_set(err, OUTCOME_FAILED, "field 'media.piecewise' is not a list");
    m->pieces = xcalloc(json_array_size(array), sizeof *m->pieces);
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct manifest_piece *p = &m->pieces[m->n_pieces++];
        json_t *v = json_array_get(array, i);

        if (!json_is_object(v))
            return err_set(err, OUTCOME_FAILED, "piece %zu is not an object", i);
        if (read_piece(v, p, err) != 0)
            return err_context(err, "piece %zu", i);
        if (p->offset != at || p->length > m->media_size - at)
            return err_set(err, OUTCOME_FAILED, "piece %zu does not follow, or leaves the media",
                           i);
        at += p->length;
    }
    if (m->n_pieces > 0 && at != m->media_size)
        return err_set(err, OUTCOME_FAILED, "the pieces do not cover the media");
    return 0;
}

static int
read_unreadable(const json_t *v, struct manifest *m, struct err *err)
{
    const struct range *last;
    uint64_t sectors;

    if (json_get_u64(v, "sectors", &sectors, err) != 0)
        return err_context(err, "unreadable");
    if (json_to_ranges(json_object_get(v, "ranges"), &m->unreadable, err) != 0)
        return err_context(err, "unreadable");
    if (sectors != (ranges_total(&m->unreadable) + m->bytes_per_sector - 1) / m->bytes_per_sector)
        return err_set(err, OUTCOME_FAILED,
                       "the count of unreadable sectors is not that of the "
                       "ranges");
    if (m->unreadable.n == 0)
        return 0;
    last = &m->unreadable.v[m->unreadable.n - 1];
    if (last->offset > m->media_size || last->length > m->media_size - last->offset)
        return err_set(err, OUTCOME_FAILED, "an unreadable range lies outside the media");
    return 0;
}

static int
read_all(struct manifest *m, struct err *err)
{
    json_t *media = json_object_get(m->root, "media");
    const char *schema;

    if (json_get_text(m->root, "schema", &schema, err) != 0)
        return -1;
    if (strcmp(schema, MANIFEST_SCHEMA) != 0)
        return err_set(err, OUTCOME_FAILED, "schema '%s' is not '%s'", schema, MANIFEST_SCHEMA);
    if (read_image(json_object_get(m->root, "image"), m, err) != 0)
        return -1;
    if (!json_is_object(json_object_get(media, "hashes")))
        return err_set(err, OUTCOME_FAILED, "field 'media.hashes' is missing");
    if (read_hashes(json_object_get(media, "hashes"), &m->media_hashes, err) != 0 ||
        read_pieces(json_object_get(media, "piecewise"), m, err) != 0)
        return -1;
    return read_unreadable(json_object_get(m->root, "unreadable"), m, err);
}

struct manifest *
manifest_from_json(json_t *root, struct err *err)
{
    struct manifest *m = xcalloc(1, sizeof *m);

    m->root = root;
    if (read_all(m, err) != 0) {
        manifest_free(m);
        return NULL;
    }
    return m;
}

struct manifest *
manifest_load(const char *path, struct err *err)
{
    json_t *root = json_load_file_bounded(path, MANIFEST_FILE_MAX, err);
    struct manifest *m;

    if (!root)
        return NULL;
    m = manifest_from_json(root, err);
    if (!m)
        (void)err_context(err, "'%s' is not a usable manifest", path);
    return m;
}

void
manifest_free(struct manifest *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_segments; i++) {
        free(m->segments[i].file);
        free(m->segments[i].directory);
    }
    for (size_t i = 0; i < m->n_pieces; i++)
        manifest_hashes_free(&m->pieces[i].hashes);
    manifest_hashes_free(&m->media_hashes);
    ranges_free(&m->unreadable);
    free(m->segments);
    free(m->pieces);
    free(m->format);
    json_decref(m->root);
    free(m);
}
