#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/signature.h"
#include "common/text.h"
#include "common/trust.h"

#define PASSPHRASE_MAX 1024

struct signer {
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) * chain;
    char *name;
};

/* --- the passphrase --- */

struct passphrase {
    const struct signer_spec *spec;
    const char *what; /* it is for, as the user named it */
    char text[PASSPHRASE_MAX];
    int length;  /* -1: could not be had, and `problem` says why */
    bool wanted; /* and so looked for, once */
    struct err problem;
};

static int
first_line(char *text, size_t n)
{
    size_t length = 0;

    while (length < n && text[length] != '\n' && text[length] != '\r' && text[length] != '\0')
        length++;
    text[length] = '\0';
    return (int)length;
}

static int
read_descriptor(int fd, char *text)
{
    size_t n = 0;

    while (n < PASSPHRASE_MAX - 1 && !memchr(text, '\n', n)) {
        ssize_t r = read(fd, text + n, PASSPHRASE_MAX - 1 - n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        n += (size_t)r;
    }
    return first_line(text, n);
}

static int
read_file(const char *path, char *text, struct err *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? err_errno(err, "cannot open '%s'", path) : read_descriptor(fd, text);
}

/* On the terminal itself, or where there is none, on standard input. */
static int
ask(const char *what, char *text, struct err *err)
{
    AUTO_FREE char *safe = text_printable(what);
    AUTO_FREE char *prompt = xasprintf("Passphrase of '%s': ", safe);

    if (EVP_read_pw_string(text, PASSPHRASE_MAX, prompt, 0) == 0)
        return (int)strlen(text);
    return err_set(err, OUTCOME_FAILED,
                   "'%s' needs a passphrase, and nobody answers; '--passphrase-file' or "
                   "'--passphrase-fd' gives it",
                   what);
}

static int
find_passphrase(struct passphrase *p)
{
    if (p->spec->passphrase_fd >= 0)
        return read_descriptor(p->spec->passphrase_fd, p->text);
    if (p->spec->passphrase_file)
        return read_file(p->spec->passphrase_file, p->text, &p->problem);
    return ask(p->what, p->text, &p->problem);
}

/* OpenSSL's callback; the same passphrase serves for the key and what lies beside it. */
static int
give_passphrase(char *buf, int size, int writing, void *context)
{
    struct passphrase *p = context;

    (void)writing;
    if (!p->wanted)
        p->length = find_passphrase(p);
    p->wanted = true;
    if (p->length < 0 || p->length >= size)
        return -1;
    memcpy(buf, p->text, (size_t)p->length + 1);
    return p->length;
}

/* --- loading --- */

static void
take(struct signer *s, OSSL_STORE_INFO *info)
{
    X509 *x;

    if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY && !s->key)
        s->key = OSSL_STORE_INFO_get1_PKEY(info);
    if (OSSL_STORE_INFO_get_type(info) != OSSL_STORE_INFO_CERT)
        return;
    x = OSSL_STORE_INFO_get1_CERT(info);
    if (x && sk_X509_push(s->chain, x) <= 0)
        X509_free(x);
}

static int
load(struct signer *s, const char *uri, struct passphrase *p, struct err *err)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;
    bool failed = false;
    char why[256];
    int r = 0;

    p->what = uri;
    ERR_clear_error();
    store = ui ? OSSL_STORE_open(uri, ui, p, NULL, NULL) : NULL;
    while (store && !OSSL_STORE_eof(store) && !failed) {
        info = OSSL_STORE_load(store);
        if (info)
            take(s, info);
        /* The end is no object either, but leaves no reason behind. */
        failed = !info && ERR_peek_error() != 0;
        OSSL_STORE_INFO_free(info);
    }
    if (p->wanted && p->length < 0) {
        *err = p->problem;
        r = -1;
    } else if (!store || failed) {
        trust_reason(why, sizeof why);
        r = err_set(err, OUTCOME_FAILED, "cannot read '%s'%s: %s", uri,
                    p->wanted ? " (is the passphrase right?)" : "", why);
    }
    if (store)
        (void)OSSL_STORE_close(store);
    UI_destroy_method(ui);
    return r;
}

/* The certificate of the key goes to the front; the others help to build the chain. */
static int
match(struct signer *s, const struct signer_spec *spec, struct err *err)
{
    if (!s->key)
        return err_set(err, OUTCOME_FAILED, "'%s' holds no private key", spec->key);
    for (int i = 0; i < sk_X509_num(s->chain); i++) {
        if (X509_check_private_key(sk_X509_value(s->chain, i), s->key) == 1) {
            s->cert = sk_X509_delete(s->chain, i);
            break;
        }
    }
    ERR_clear_error();
    if (!s->cert)
        return err_set(err, OUTCOME_FAILED, "no certificate in '%s' belongs to the key '%s'",
                       spec->cert ? spec->cert : spec->key, spec->key);
    s->name = trust_name(X509_get_subject_name(s->cert));
    if (!trust_may_sign(s->cert))
        return err_set(err, OUTCOME_FAILED, "the certificate of '%s' is not one for signatures",
                       s->name);
    if (X509_cmp_current_time(X509_get0_notBefore(s->cert)) > 0)
        return err_set(err, OUTCOME_FAILED, "the certificate of '%s' is not valid yet", s->name);
    if (X509_cmp_current_time(X509_get0_notAfter(s->cert)) < 0)
        return err_set(err, OUTCOME_FAILED, "the certificate of '%s' has expired", s->name);
    return 0;
}

/* A key that cannot sign is better found now than after the acquisition. */
static int
try_it(const struct signer *s, struct err *err)
{
    AUTO_FREE uint8_t *der = NULL;
    size_t n;

    der = signer_sign(s, "", 0, &n, err);
    return der ? 0 : -1;
}

struct signer *
signer_load(const struct signer_spec *spec, struct err *err)
{
    struct signer *s = xcalloc(1, sizeof *s);
    struct passphrase p = {.spec = spec};
    int r;

    s->chain = sk_X509_new_null();
    r = load(s, spec->key, &p, err);
    if (r == 0 && spec->cert)
        r = load(s, spec->cert, &p, err);
    OPENSSL_cleanse(p.text, sizeof p.text);
    if (r == 0 && match(s, spec, err) == 0 && try_it(s, err) == 0)
        return s;
    signer_free(s);
    return NULL;
}

void
signer_free(struct signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->key);
    X509_free(s->cert);
    sk_X509_pop_free(s->chain, X509_free);
    free(s->name);
    free(s);
}

const char *
signer_name(const struct signer *s)
{
    return s->name;
}

const char *
signer_caveat(const struct signer *s)
{
    return X509_check_purpose(s->cert, X509_PURPOSE_SMIME_SIGN, 0) == 1
               ? NULL
               : "the certificate is not meant for signing mail, so 'openssl cms -verify' needs "
                 "'-purpose any'";
}

/* --- signing --- */

static CMS_ContentInfo *
make(const struct signer *s, BIO *data)
{
    unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, s->chain, data, flags | CMS_PARTIAL);

    if (cms && CMS_add1_signer(cms, s->cert, s->key, EVP_sha256(), flags | CMS_CADES) &&
        CMS_final(cms, data, NULL, flags) == 1)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

uint8_t *
signer_sign(const struct signer *s, const void *data, size_t size, size_t *n, struct err *err)
{
    BIO *bio = size <= INT32_MAX ? BIO_new_mem_buf(size ? data : "", (int)size) : NULL;
    CMS_ContentInfo *cms = bio ? make(s, bio) : NULL;
    unsigned char *der = NULL;
    int length = cms ? i2d_CMS_ContentInfo(cms, &der) : -1;
    uint8_t *out = NULL;
    char why[256];

    if (length > 0) {
        *n = (size_t)length;
        out = xcalloc(*n, 1);
        memcpy(out, der, *n);
    } else {
        trust_reason(why, sizeof why);
        (void)err_set(err, OUTCOME_FAILED, "cannot sign as '%s': %s", s->name, why);
    }
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    (void)BIO_free(bio);
    return out;
}
