#include "verify/lane.h"

#include <errno.h>

#include "common/text.h"

#define FILE_PART ((size_t)256 << 10)

struct lane {
    /* What kind of lane: one of the three below. */
    void (*on_block)(struct lane *l, const struct block *b);
    void (*on_end)(struct lane *l, const atomic_bool *stop);
    struct digest *digest;
    struct lane_hash *results;
    size_t n_results;
    uint64_t at; /* media: bytes taken; files: bytes of file `current` hashed */
    bool broken; /* media: something is missing */

    const struct manifest_piece *pieces;
    size_t current; /* piece or file */

    /* Of a raw image's media: the hash of the current file, unless there is but one. */
    struct digest *file_digest;
    struct lane_hash *file_results;

    const struct image *image;
    uint8_t *buf;

    struct lane *along; /* of the same kind over the same bytes: fed with this one; not owned */
};

#define FOR_EACH_ALONG(k, l) for (struct lane *k = (l); k; k = k->along)

/* n bytes into the lane's hash and into those that go along; with files, into the current file's as
   well. */
static void
feed(struct lane *l, const void *data, size_t n, bool files)
{
    struct digest *v[DIGEST_TOGETHER_MAX];
    size_t n_v = 0;

    FOR_EACH_ALONG(k, l)
    {
        v[n_v++] = k->digest;
        if (files)
            v[n_v++] = k->file_digest;
    }
    digest_update_all(v, n_v, data, n);
}

/* --- the whole media ------------------------------------------------------------------------ */

static void
media_on_block(struct lane *l, const struct block *b)
{
    l->broken = l->broken || b->missing || b->media_offset != l->at;
    if (l->broken)
        return;
    feed(l, b->data, b->length, false);
    l->at += b->length;
}

static void
media_on_end(struct lane *l, const atomic_bool *stop)
{
    if (*stop || l->broken)
        return;
    FOR_EACH_ALONG(k, l)
    digest_final_hex(k->digest, k->results[0].hex);
}

/* --- the media of a raw image, and the files that it consists of ---------------------------- */

/* Ends the hashes of all files that end at or before the place reached. */
static void
raw_end_files(struct lane *l)
{
    const struct image_info *info = image_info(l->image);

    while (l->file_digest && l->current < info->n_segments &&
           info->segments[l->current].media_offset + info->segments[l->current].media_length <=
               l->at) {
        FOR_EACH_ALONG(k, l)
        digest_final_hex(k->file_digest, k->file_results[l->current].hex);
        l->current++;
    }
}

static void
raw_on_block(struct lane *l, const struct block *b)
{
    const struct image_info *info = image_info(l->image);
    size_t done = 0;

    l->broken = l->broken || b->missing || b->media_offset != l->at;
    if (l->broken || !l->file_digest) {
        media_on_block(l, b);
        return;
    }
    while (done < b->length) {
        const struct image_segment *s = &info->segments[l->current];
        uint64_t left = s->media_offset + s->media_length - l->at;
        size_t n = left < b->length - done ? (size_t)left : b->length - done;

        feed(l, b->data + done, n, true);
        l->at += n;
        done += n;
        raw_end_files(l);
    }
}

static void
raw_on_end(struct lane *l, const atomic_bool *stop)
{
    media_on_end(l, stop);
    FOR_EACH_ALONG(k, l)
    {
        if (!k->file_digest)
            k->file_results[0] = k->results[0];
    }
}

/* --- pieces --------------------------------------------------------------------------------- */

/* The part of piece p that lies in the block goes into the hash; `at` is the media offset up to
   which the piece has been taken. */
static void
piece_take(struct lane *l, const struct manifest_piece *p, const struct block *b)
{
    uint64_t end = p->offset + p->length;
    uint64_t block_end = b->media_offset + b->length;
    uint64_t from = p->offset > b->media_offset ? p->offset : b->media_offset;
    uint64_t to = end < block_end ? end : block_end;

    if (from == p->offset) {
        l->broken = false;
        l->at = from;
    }
    l->broken = l->broken || b->missing || l->at != from;
    if (!l->broken)
        feed(l, b->data + (from - b->media_offset), (size_t)(to - from), false);
    l->at = to;
}

/* The hashes of what is current are the results, if they count, and start afresh. */
static void
end_hashes(struct lane *l, bool count)
{
    FOR_EACH_ALONG(k, l)
    {
        char hex[DIGEST_HEX_MAX];

        digest_final_hex(k->digest, hex);
        if (count)
            (void)snprintf(k->results[l->current].hex, DIGEST_HEX_MAX, "%s", hex);
    }
}

static void
piece_end(struct lane *l)
{
    end_hashes(l, !l->broken);
    l->current++;
    l->broken = true; /* until the next one's beginning is seen */
}

static void
pieces_on_block(struct lane *l, const struct block *b)
{
    uint64_t block_end = b->media_offset + b->length;

    while (l->current < l->n_results) {
        const struct manifest_piece *p = &l->pieces[l->current];
        uint64_t end = p->offset + p->length;

        if (p->offset >= block_end)
            return;
        if (end <= b->media_offset) { /* its end lies in a gap */
            l->broken = true;
            piece_end(l);
            continue;
        }
        piece_take(l, p, b);
        if (end > block_end)
            return;
        piece_end(l);
    }
}

static void
pieces_on_end(struct lane *l, const atomic_bool *stop)
{
    (void)l;
    (void)stop;
}

/* --- segment files -------------------------------------------------------------------------- */

static const struct image_segment *
file_at(const struct lane *l, size_t i)
{
    return &image_info(l->image)->segments[i];
}

/* The next bytes of the current file, n at most: those that a worker has read, or, as far as these
   are not reached, read now. Returns as image_segment_read(). */
static ssize_t
file_next(struct lane *l, const struct image_held *held, size_t n, const uint8_t **data)
{
    bool same = held && held->n > 0 && held->segment == l->current;

    if (same && l->at >= held->offset && l->at - held->offset < held->n) {
        size_t skip = (size_t)(l->at - held->offset);

        *data = held->data + skip;
        return (ssize_t)(held->n - skip < n ? held->n - skip : n);
    }
    if (same && l->at < held->offset && held->offset - l->at < n)
        n = (size_t)(held->offset - l->at);
    *data = l->buf;
    return image_segment_read(l->image, l->current, l->buf, n, l->at);
}

/* Hashes the current file up to offset `to`; `held`: of that file, or NULL. */
static void
file_hash_to(struct lane *l, uint64_t to, const struct image_held *held, const atomic_bool *stop)
{
    const struct image_segment *s = file_at(l, l->current);

    if (to > s->size)
        to = s->size;
    while (l->at < to && !l->broken && !(stop && *stop)) {
        size_t n = to - l->at < FILE_PART ? (size_t)(to - l->at) : FILE_PART;
        const uint8_t *data;
        ssize_t got = file_next(l, held, n, &data);

        if (got <= 0) {
            int sys = got < 0 ? errno : 0;

            FOR_EACH_ALONG(k, l)
            k->results[l->current].sys = sys;
            l->broken = true;
            return;
        }
        feed(l, data, (size_t)got, false);
        l->at += (uint64_t)got;
    }
}

static void
file_finish(struct lane *l, const atomic_bool *stop)
{
    bool present = file_at(l, l->current)->present;

    if (present)
        file_hash_to(l, UINT64_MAX, NULL, stop);
    end_hashes(l, present && !l->broken && !(stop && *stop));
    l->current++;
    l->at = 0;
    l->broken = false;
}

/* Keeps up with the workers, a block behind. */
static void
files_on_block(struct lane *l, const struct block *b)
{
    while (l->current < b->segment && l->current < l->n_results)
        file_finish(l, NULL);
    if (l->current == b->segment && l->current < l->n_results && file_at(l, l->current)->present)
        file_hash_to(l, b->file_end, &b->held, NULL);
}

static void
files_on_end(struct lane *l, const atomic_bool *stop)
{
    while (l->current < l->n_results && !*stop)
        file_finish(l, stop);
}

/* --- all ------------------------------------------------------------------------------------ */

static struct lane *
lane_new(const char *hash, size_t n_results, struct err *err)
{
    struct lane *l = xcalloc(1, sizeof *l);

    l->digest = digest_new(hash, err);
    if (!l->digest) {
        lane_free(l);
        return NULL;
    }
    l->results = xcalloc(n_results, sizeof *l->results);
    l->n_results = n_results;
    return l;
}

struct lane *
lane_new_media(const char *hash, struct err *err)
{
    struct lane *l = lane_new(hash, 1, err);

    if (!l)
        return NULL;
    l->on_block = media_on_block;
    l->on_end = media_on_end;
    return l;
}

struct lane *
lane_new_media_raw(const char *hash, const struct image *img, struct err *err)
{
    struct lane *l = lane_new_media(hash, err);

    if (!l)
        return NULL;
    l->on_block = raw_on_block;
    l->on_end = raw_on_end;
    l->image = img;
    l->file_results = xcalloc(image_info(img)->n_segments, sizeof *l->file_results);
    if (image_info(img)->n_segments == 1)
        return l;
    l->file_digest = digest_new(hash, err);
    if (!l->file_digest) {
        lane_free(l);
        return NULL;
    }
    raw_end_files(l); /* files that hold nothing */
    return l;
}

struct lane *
lane_new_pieces(const char *hash, const struct manifest_piece *pieces, size_t n, struct err *err)
{
    struct lane *l = lane_new(hash, n, err);

    if (!l)
        return NULL;
    l->on_block = pieces_on_block;
    l->on_end = pieces_on_end;
    l->pieces = pieces;
    l->broken = true;
    return l;
}

struct lane *
lane_new_files(const char *hash, const struct image *img, struct err *err)
{
    struct lane *l = lane_new(hash, image_info(img)->n_segments, err);

    if (!l)
        return NULL;
    l->on_block = files_on_block;
    l->on_end = files_on_end;
    l->image = img;
    l->buf = xcalloc(1, FILE_PART);
    return l;
}

void
lane_free(struct lane *l)
{
    if (!l)
        return;
    digest_free(l->digest);
    digest_free(l->file_digest);
    free(l->file_results);
    free(l->results);
    free(l->buf);
    free(l);
}

bool
lane_join(struct lane *l, struct lane *other)
{
    if (l == other || l->along || other->along || strcmp(digest_name(l->digest), "md5") != 0 ||
        !digest_sha256_is_free(other->digest) || l->on_block != other->on_block ||
        l->pieces != other->pieces || l->n_results != other->n_results)
        return false;
    l->along = other;
    return true;
}

void
lane_run(struct lane *l, struct ring *r, const atomic_bool *stop)
{
    const struct block *b;

    for (uint64_t seq = 0; (b = ring_take(r, seq)) != NULL; seq++) {
        l->on_block(l, b);
        ring_done(r, seq);
    }
    l->on_end(l, stop);
}

const struct lane_hash *
lane_results(const struct lane *l)
{
    return l->results;
}

const struct lane_hash *
lane_file_results(const struct lane *l)
{
    return l->file_results ? l->file_results : l->results;
}

const char *
lane_hash_name(const struct lane *l)
{
    return digest_name(l->digest);
}
