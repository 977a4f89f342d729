#include "acquire/worker/lanes.h"

#include "common/text.h"

#define LANES_MAX (JOB_HASHES_MAX + 6)

struct lanes {
    struct lane *v[LANES_MAX];
    size_t n;
    struct lane *fed[LANES_MAX]; /* those that are no other's partner */
    size_t n_fed;
    const struct job *job; /* outlives the set */
};

/* A piece that covers everything is the media itself. */
static uint64_t
effective(const struct lanes *l, uint64_t piece)
{
    return piece >= l->job->length ? 0 : piece; /* 0 is the media already */
}

static struct lane *
find(const struct lanes *l, const char *algorithm, uint64_t piece)
{
    piece = effective(l, piece);
    for (size_t i = 0; i < l->n; i++) {
        if (lane_piece(l->v[i]) == piece && strcmp(lane_algorithm(l->v[i]), algorithm) == 0)
            return l->v[i];
    }
    return NULL;
}

static int
want(struct lanes *l, const char *algorithm, uint64_t piece, struct err *err)
{
    struct lane *lane;

    if (find(l, algorithm, piece))
        return 0;
    lane = lane_new(algorithm, effective(l, piece), err);
    if (!lane)
        return -1;
    l->v[l->n++] = lane;
    return 0;
}

static int
want_both(struct lanes *l, uint64_t piece, struct err *err)
{
    return want(l, "md5", piece, err) == 0 ? want(l, "sha256", piece, err) : -1;
}

static struct lane *
take_next(struct lane **from, size_t n, const char *algorithm)
{
    for (size_t i = 0; i < n; i++) {
        struct lane *lane = from[i];

        if (lane && strcmp(lane_algorithm(lane), algorithm) == 0) {
            from[i] = NULL;
            return lane;
        }
    }
    return NULL;
}

/* With this many cores and fewer it is the sum of all work that bounds a job; with more it is the
   slowest thread. */
#define CORES_SCARCE 3

/* Each MD5, of the media, of segments and of pieces, takes a SHA-256 along where that is free;
   where cores are scarce they go two by two. */
static void
group(struct lanes *l)
{
    struct lane *rest[LANES_MAX];
    struct lane *md5;
    bool scarce = l->job->threads <= CORES_SCARCE;
    bool is_free = false;

    memcpy(rest, l->v, sizeof rest);
    for (size_t i = 0; i < l->n; i++)
        is_free = is_free || lane_is_free(l->v[i]);
    while ((md5 = take_next(rest, l->n, "md5")) != NULL) {
        struct lane *second = scarce ? take_next(rest, l->n, "md5") : NULL;

        if (second)
            lane_join(md5, second);
        for (int i = 0; is_free && i < (second ? 2 : 1); i++) {
            struct lane *sha256 = take_next(rest, l->n, "sha256");

            if (sha256)
                lane_join(md5, sha256);
        }
        l->fed[l->n_fed++] = md5;
    }
    for (size_t i = 0; i < l->n; i++) {
        if (rest[i])
            l->fed[l->n_fed++] = rest[i];
    }
}

struct lanes *
lanes_new(const struct job *job, struct err *err)
{
    struct lanes *l = xcalloc(1, sizeof *l);

    l->job = job;
    for (size_t i = 0; i < job->n_hashes; i++) {
        if (want(l, job->hashes[i], 0, err) != 0)
            goto fail;
    }
    if (job->e01 && want(l, "md5", 0, err) != 0)
        goto fail;
    if (!job->e01 && want_both(l, job->segment_size, err) != 0)
        goto fail;
    if (job->piecewise != 0 && want_both(l, job->piecewise, err) != 0)
        goto fail;
    group(l);
    return l;
fail:
    lanes_free(l);
    return NULL;
}

void
lanes_free(struct lanes *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        lane_free(l->v[i]);
    free(l);
}

struct lane **
lanes_list(struct lanes *l, size_t *n)
{
    *n = l->n_fed;
    return l->fed;
}

void
lanes_media_hashes(const struct lanes *l, struct manifest_hashes *out)
{
    for (size_t i = 0; i < l->n; i++) {
        if (lane_piece(l->v[i]) == 0)
            manifest_hash_add(out, lane_algorithm(l->v[i]), lane_hex(l->v[i], 0));
    }
}

static const char *
hex_at(const struct lanes *l, const char *algorithm, uint64_t piece, size_t i)
{
    struct lane *lane = find(l, algorithm, piece);

    return i < lane_count(lane) ? lane_hex(lane, i) : "";
}

size_t
lanes_segments_done(const struct lanes *l)
{
    size_t md5 = lane_count(find(l, "md5", l->job->segment_size));
    size_t sha256 = lane_count(find(l, "sha256", l->job->segment_size));

    return md5 < sha256 ? md5 : sha256;
}

void
lanes_segment_hashes(const struct lanes *l, size_t i, char md5[DIGEST_HEX_MAX],
                     char sha256[DIGEST_HEX_MAX])
{
    uint64_t piece = l->job->segment_size;

    (void)snprintf(md5, DIGEST_HEX_MAX, "%s", hex_at(l, "md5", piece, i));
    (void)snprintf(sha256, DIGEST_HEX_MAX, "%s", hex_at(l, "sha256", piece, i));
}

void
lanes_piece_hashes(const struct lanes *l, size_t i, struct manifest_hashes *out)
{
    manifest_hash_add(out, "md5", hex_at(l, "md5", l->job->piecewise, i));
    manifest_hash_add(out, "sha256", hex_at(l, "sha256", l->job->piecewise, i));
}
