/* SHA256_Update() is deprecated in favour of EVP, which does not show its state. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/md5.h"
#include "common/md5_sha256.h"
#include "common/text.h"

struct digest {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    enum {
        BY_EVP,
        BY_MD5,    /* common/md5.c */
        BY_SHA256, /* OpenSSL's SHA256_Update() */
    } by;
    union {
        struct md5 md5;
        SHA256_CTX sha256;
    };
    bool weaves; /* BY_SHA256: can go beside an MD5 */
    char name[DIGEST_NAME_MAX];
};

/* Names whose usual spelling differs from what OpenSSL fetches by. */
static const struct {
    const char *name;
    const char *openssl;
} spellings[] = {
    {"sha224", "SHA2-224"},        {"sha256", "SHA2-256"},         {"sha384", "SHA2-384"},
    {"sha512", "SHA2-512"},        {"sha512-256", "SHA2-512/256"}, {"sha512-224", "SHA2-512/224"},
    {"blake2b512", "BLAKE2B-512"}, {"blake2s256", "BLAKE2S-256"},  {"ripemd160", "RIPEMD-160"},
};

static EVP_MD *
fetch(const char *name)
{
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        if (strcmp(name, spellings[i].name) == 0)
            return EVP_MD_fetch(NULL, spellings[i].openssl, NULL);
    }
    return EVP_MD_fetch(NULL, name, NULL);
}

/* An extendable-output function (SHAKE) counts with the length that OpenSSL gives it, which is what
   `openssl dgst` prints; a later OpenSSL that gives it none has no such digest. */
static bool
usable(const EVP_MD *md)
{
    return md && EVP_MD_get_size(md) > 0 && EVP_MD_get_size(md) <= DIGEST_SIZE_MAX;
}

/* EVP's update and final fail only on a context that was never started. */
static void
must(int ok)
{
    if (ok != 1)
        abort();
}

static void
start(struct digest *d)
{
    switch (d->by) {
    case BY_MD5:
        md5_start(&d->md5);
        break;
    case BY_SHA256:
        must(SHA256_Init(&d->sha256));
        break;
    case BY_EVP:
        must(EVP_DigestInit_ex2(d->ctx, d->md, NULL));
        break;
    }
}

/* Our own MD5 is used only where it agrees with OpenSSL's on this machine, on this build. */
static bool
own_md5_agrees(const EVP_MD *md)
{
    unsigned char expected[2][EVP_MAX_MD_SIZE];
    uint8_t got[2][MD5_SIZE];
    uint8_t data[1000];
    struct md5 a;
    struct md5 b;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 151 + 7);
    md5_start(&a);
    md5_start(&b);
    md5_update_pair(&a, data, sizeof data, &b, data + 1, 800);
    md5_finish(&a, got[0]);
    md5_finish(&b, got[1]);
    return EVP_Digest(data, sizeof data, expected[0], NULL, md, NULL) == 1 &&
           EVP_Digest(data + 1, 800, expected[1], NULL, md, NULL) == 1 &&
           memcmp(got[0], expected[0], MD5_SIZE) == 0 && memcmp(got[1], expected[1], MD5_SIZE) == 0;
}

/* The woven functions likewise: from states that differ, over the first 64 bytes alone and then
   over the rest, one pair and both, and each chain against OpenSSL's. */
static bool
weaving_agrees(void)
{
    uint8_t data[15 * MD5_BLOCK];
    SHA256_CTX sha256[2][2];
    struct md5 md5[2][2];
    bool same = true;

    if (!md5_sha256_possible())
        return false;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 113 + 5);
    for (size_t i = 0; i < 4; i++) {
        must(SHA256_Init(&sha256[i / 2][i % 2]));
        md5_start(&md5[i / 2][i % 2]);
        SHA256_Transform(&sha256[i / 2][i % 2], data + i % 2);
        md5_update(&md5[i / 2][i % 2], data + i % 2, MD5_BLOCK);
    }
    md5_sha256_blocks((struct md5_sha256){md5[0][0].state, sha256[0][0].h}, data, 2);
    md5_sha256_blocks_twice((struct md5_sha256){md5[0][0].state, sha256[0][0].h},
                            (struct md5_sha256){md5[0][1].state, sha256[0][1].h},
                            data + (size_t)2 * MD5_BLOCK, 13);
    for (size_t c = 0; c < 2; c++) {
        for (size_t at = c == 0 ? 0 : 2; at < 15; at++) {
            SHA256_Transform(&sha256[1][c], data + at * MD5_BLOCK);
            md5_update(&md5[1][c], data + at * MD5_BLOCK, MD5_BLOCK);
        }
        same = same && memcmp(md5[0][c].state, md5[1][c].state, sizeof md5[0][c].state) == 0 &&
               memcmp(sha256[0][c].h, sha256[1][c].h, sizeof sha256[0][c].h) == 0;
    }
    return same;
}

struct digest *
digest_new(const char *name, struct err *err)
{
    struct digest *d = xcalloc(1, sizeof *d);

    d->md = fetch(name);
    if (!usable(d->md) || strlen(name) >= sizeof d->name) {
        (void)err_set(err, OUTCOME_USAGE, "unknown hash '%s'", name);
        goto fail;
    }
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    d->ctx = EVP_MD_CTX_new();
    if (!d->ctx || EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1) {
        (void)err_set(err, OUTCOME_FAILED, "cannot start hash '%s'", name);
        goto fail;
    }
    if (strcmp(name, "md5") == 0 && own_md5_agrees(d->md))
        d->by = BY_MD5;
    else if (strcmp(name, "sha256") == 0)
        d->by = BY_SHA256;
    d->weaves = d->by == BY_SHA256 && weaving_agrees();
    start(d);
    return d;
fail:
    digest_free(d);
    return NULL;
}

void
digest_free(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md);
    free(d);
}

void
digest_update(struct digest *d, const void *data, size_t n)
{
    switch (d->by) {
    case BY_MD5:
        md5_update(&d->md5, data, n);
        break;
    case BY_SHA256:
        must(SHA256_Update(&d->sha256, data, n));
        break;
    case BY_EVP:
        must(EVP_DigestUpdate(d->ctx, data, n));
        break;
    }
}

/* What goes side by side: MD5s, and the SHA-256s that can. */
static bool
goes_along(const struct digest *d)
{
    return d->by == BY_MD5 || (d->by == BY_SHA256 && d->weaves);
}

/* Bytes until it stands between two blocks, where chains can take the same ones. */
static size_t
to_next_block(const struct digest *d)
{
    size_t have = d->by == BY_MD5 ? (size_t)(d->md5.length % MD5_BLOCK) : d->sha256.num;

    return (MD5_BLOCK - have) % MD5_BLOCK;
}

static struct md5_sha256
states(struct digest *md5, struct digest *sha256)
{
    return (struct md5_sha256){.md5 = md5->md5.state, .sha256 = sha256->sha256.h};
}

/* Blocks went past the functions that count them. OpenSSL counts bits, in two words. */
static void
count_bytes(struct digest *md5, struct digest *sha256, uint64_t bytes)
{
    uint64_t bits = ((uint64_t)sha256->sha256.Nh << 32 | sha256->sha256.Nl) + bytes * 8;

    md5->md5.length += bytes;
    sha256->sha256.Nl = (uint32_t)bits;
    sha256->sha256.Nh = (uint32_t)(bits >> 32);
}

/* n, one or two, chains of each. */
static void
update_woven(struct digest *const md5[2], struct digest *const sha256[2], size_t n,
             const uint8_t *data, size_t len)
{
    size_t whole = len - len % MD5_BLOCK;

    if (n == 2)
        md5_sha256_blocks_twice(states(md5[0], sha256[0]), states(md5[1], sha256[1]), data,
                                whole / MD5_BLOCK);
    else
        md5_sha256_blocks(states(md5[0], sha256[0]), data, whole / MD5_BLOCK);
    for (size_t i = 0; i < n; i++) {
        count_bytes(md5[i], sha256[i], whole);
        digest_update(md5[i], data + whole, len - whole);
        digest_update(sha256[i], data + whole, len - whole);
    }
}

/* How many bytes those of them that go along need until they stand between two blocks: the first
   decides, the others go alone if they need another number. */
static size_t
common_start(struct digest *const *v, size_t n, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (goes_along(v[i]))
            return to_next_block(v[i]) < len ? to_next_block(v[i]) : 0;
    }
    return 0;
}

void
digest_update_all(struct digest *const *v, size_t n, const void *data, size_t len)
{
    struct digest *md5[DIGEST_TOGETHER_MAX];
    struct digest *sha256[DIGEST_TOGETHER_MAX];
    size_t n_md5 = 0;
    size_t n_sha256 = 0;
    size_t start = common_start(v, n, len);
    const uint8_t *rest = (const uint8_t *)data + start;

    for (size_t i = 0; i < n; i++) {
        if (!goes_along(v[i]) || to_next_block(v[i]) != start) {
            digest_update(v[i], data, len);
            continue;
        }
        digest_update(v[i], data, start);
        if (v[i]->by == BY_MD5)
            md5[n_md5++] = v[i];
        else
            sha256[n_sha256++] = v[i];
    }
    len -= start;
    while (n_md5 > 0 && n_sha256 > 0) {
        size_t two = n_md5 > 1 && n_sha256 > 1 ? 2 : 1;

        n_md5 -= two;
        n_sha256 -= two;
        update_woven(md5 + n_md5, sha256 + n_sha256, two, rest, len);
    }
    for (; n_md5 > 1; n_md5 -= 2)
        md5_update_pair(&md5[n_md5 - 1]->md5, rest, len, &md5[n_md5 - 2]->md5, rest, len);
    if (n_md5 > 0)
        digest_update(md5[0], rest, len);
    while (n_sha256 > 0)
        digest_update(sha256[--n_sha256], rest, len);
}

void
digest_update_pair(struct digest *a, struct digest *b, const void *data, size_t len)
{
    struct digest *both[] = {a, b};

    digest_update_all(both, 2, data, len);
}

bool
digest_sha256_is_free(const struct digest *sha256)
{
    return sha256->by == BY_SHA256 && sha256->weaves;
}

void
digest_final_hex(struct digest *d, char hex[DIGEST_HEX_MAX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    switch (d->by) {
    case BY_MD5:
        md5_finish(&d->md5, raw);
        n = MD5_SIZE;
        break;
    case BY_SHA256:
        must(SHA256_Final(raw, &d->sha256));
        n = SHA256_DIGEST_LENGTH;
        break;
    case BY_EVP:
        must(EVP_DigestFinal_ex(d->ctx, raw, &n));
        break;
    }
    start(d);
    hex_encode(raw, n, hex);
}

const char *
digest_name(const struct digest *d)
{
    return d->name;
}

/* Lower case; "sha-256" and "sha2-256" are the same as "sha256", but "sha3-256" keeps its dash;
   "SHA-512/256" is what OpenSSL's lists call "sha512-256". */
static int
spell(const char *typed, char *name)
{
    size_t n = 0;

    for (const char *p = typed; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

        if (n + 1 >= DIGEST_NAME_MAX)
            return -1;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/'))
            return -1;
        name[n++] = c == '/' ? '-' : c;
    }
    name[n] = '\0';
    if (strncmp(name, "sha2-", 5) == 0)
        memmove(name + 3, name + 5, n - 4);
    else if (strncmp(name, "sha-", 4) == 0)
        memmove(name + 3, name + 4, n - 3);
    return n > 0 ? 0 : -1;
}

int
digest_canonical(const char *typed, char name[DIGEST_NAME_MAX], struct err *err)
{
    if (spell(typed, name) != 0 || digest_hex_length(name) == 0)
        return err_set(err, OUTCOME_USAGE,
                       "unknown hash '%s'; 'openssl list -digest-algorithms' names those there are",
                       typed);
    return 0;
}

size_t
digest_hex_length(const char *name)
{
    EVP_MD *md = fetch(name);
    size_t n = usable(md) ? 2 * (size_t)EVP_MD_get_size(md) : 0;

    EVP_MD_free(md);
    return n;
}

bool
digest_hex_equal(const char *a, const char *b)
{
    return *a && text_equal_nocase(a, b);
}

const char *
digest_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
