#include "acquire/worker/lane.h"

#include <pthread.h>

#include "common/text.h"

struct lane {
    struct digest *digest;
    uint64_t piece;
    uint64_t filled;      /* bytes in the piece that is open */
    pthread_mutex_t lock; /* guards the list: others may read it while the lane is fed */
    char **hex;
    size_t n;
    size_t cap;
    struct lane *partners[LANE_PARTNERS_MAX]; /* fed along; not owned */
    size_t n_partners;
};

struct lane *
lane_new(const char *algorithm, uint64_t piece, struct err *err)
{
    struct lane *l = xcalloc(1, sizeof *l);

    (void)pthread_mutex_init(&l->lock, NULL);
    l->piece = piece;
    l->digest = digest_new(algorithm, err);
    if (!l->digest) {
        lane_free(l);
        return NULL;
    }
    return l;
}

void
lane_free(struct lane *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free(l->hex[i]);
    free(l->hex);
    digest_free(l->digest);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

static void
close_piece(struct lane *l)
{
    char hex[DIGEST_HEX_MAX];

    digest_final_hex(l->digest, hex);
    (void)pthread_mutex_lock(&l->lock);
    if (l->n == l->cap) {
        l->cap = l->cap * 2 + 8;
        l->hex = xrealloc(l->hex, l->cap, sizeof *l->hex);
    }
    l->hex[l->n++] = xstrdup(hex);
    (void)pthread_mutex_unlock(&l->lock);
    l->filled = 0;
}

void
lane_join(struct lane *l, struct lane *partner)
{
    if (l->n_partners == LANE_PARTNERS_MAX)
        abort();
    l->partners[l->n_partners++] = partner;
}

bool
lane_is_free(const struct lane *l)
{
    return digest_sha256_is_free(l->digest);
}

/* How much of n fits into the piece that is open. */
static size_t
room(const struct lane *l, size_t n)
{
    return l->piece != 0 && n > l->piece - l->filled ? (size_t)(l->piece - l->filled) : n;
}

static void
advance(struct lane *l, size_t n)
{
    l->filled += n;
    if (l->piece != 0 && l->filled == l->piece)
        close_piece(l);
}

void
lane_feed(struct lane *l, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        struct digest *digests[1 + LANE_PARTNERS_MAX] = {l->digest};
        size_t part = room(l, n);

        for (size_t i = 0; i < l->n_partners; i++) {
            part = room(l->partners[i], part);
            digests[1 + i] = l->partners[i]->digest;
        }
        digest_update_all(digests, 1 + l->n_partners, p, part);
        advance(l, part);
        for (size_t i = 0; i < l->n_partners; i++)
            advance(l->partners[i], part);
        p += part;
        n -= part;
    }
}

void
lane_end(struct lane *l)
{
    if (l->filled > 0 || l->n == 0)
        close_piece(l);
    for (size_t i = 0; i < l->n_partners; i++)
        lane_end(l->partners[i]);
}

const char *
lane_algorithm(const struct lane *l)
{
    return digest_name(l->digest);
}

uint64_t
lane_piece(const struct lane *l)
{
    return l->piece;
}

size_t
lane_count(struct lane *l)
{
    size_t n;

    (void)pthread_mutex_lock(&l->lock);
    n = l->n;
    (void)pthread_mutex_unlock(&l->lock);
    return n;
}

const char *
lane_hex(struct lane *l, size_t i)
{
    const char *hex;

    (void)pthread_mutex_lock(&l->lock);
    hex = l->hex[i];
    (void)pthread_mutex_unlock(&l->lock);
    return hex;
}
