/* SHA256_Update() is deprecated in favour of EVP, whose calls cost too much for 64 bytes each. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/md5.h"
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

/* An extendable-output function (SHAKE) has no length of its own to compare by. */
static bool
usable(const EVP_MD *md)
{
    return md && !(EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) && EVP_MD_get_size(md) > 0 &&
           EVP_MD_get_size(md) <= DIGEST_SIZE_MAX;
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

static void
step_sha256(void *arg, const uint8_t block[MD5_BLOCK])
{
    must(SHA256_Update(arg, block, MD5_BLOCK));
}

void
digest_update_pair(struct digest *a, struct digest *b, const void *data, size_t n)
{
    if (a->by == BY_MD5 && b->by == BY_MD5) {
        md5_update_pair(&a->md5, data, n, &b->md5, data, n);
    } else if (a->by == BY_MD5 && b->by == BY_SHA256 && a->md5.length % MD5_BLOCK == 0) {
        md5_update_beside(&a->md5, data, n, step_sha256, &b->sha256);
        must(SHA256_Update(&b->sha256, (const uint8_t *)data + n - n % MD5_BLOCK, n % MD5_BLOCK));
    } else {
        digest_update(a, data, n);
        digest_update(b, data, n);
    }
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

/* Lower case; "sha-256" and "sha2-256" are the same as "sha256", but "sha3-256" keeps its dash. */
static int
spell(const char *typed, char *name)
{
    size_t n = 0;

    for (const char *p = typed; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

        if (n + 1 >= DIGEST_NAME_MAX)
            return -1;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return -1;
        name[n++] = c;
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
