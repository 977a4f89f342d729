#include "common/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "common/text.h"

struct trust {
    STACK_OF(X509) * anchors;
    STACK_OF(X509_CRL) * crls;
    char **paths;
    size_t n_paths;
};

void
trust_reason(char *text, size_t size)
{
    const char *data = "";
    const char *reason;
    int flags = 0;
    unsigned long code = ERR_peek_last_error_data(&data, &flags);

    if (ERR_SYSTEM_ERROR(code)) {
        (void)snprintf(text, size, "%s", strerror(ERR_GET_REASON(code)));
    } else {
        bool more = (flags & ERR_TXT_STRING) && *data;

        reason = code ? ERR_reason_error_string(code) : NULL;
        (void)snprintf(text, size, "%s%s%s", reason ? reason : "OpenSSL does not say why",
                       more ? ": " : "", more ? data : "");
    }
    ERR_clear_error();
}

char *
trust_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    char *data;
    long n;

    /* As RFC 2253 has it, but with UTF-8 left as it is. */
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        n = BIO_get_mem_data(bio, &data);
        text = xstrndup(data, n > 0 ? (size_t)n : 0);
    }
    (void)BIO_free(bio);
    return text ? text : xstrdup("");
}

int64_t
trust_time(const ASN1_TIME *t)
{
    struct tm tm;

    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

bool
trust_digest_is_weak(int nid)
{
    const EVP_MD *md = EVP_get_digestbynid(nid);

    return !md || EVP_MD_get_size(md) < 28;
}

/* --- reading them --- */

static BIO *
open_file(const char *file, struct err *err)
{
    BIO *bio = BIO_new_file(file, "r");

    ERR_clear_error();
    if (!bio)
        (void)err_errno(err, "cannot read '%s'", file);
    return bio;
}

static int
add_anchors(struct trust *t, const char *file, struct err *err)
{
    BIO *bio = open_file(file, err);
    int before = sk_X509_num(t->anchors);
    X509 *x;

    if (!bio)
        return -1;
    while ((x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(t->anchors, x) <= 0)
            X509_free(x);
    }
    (void)BIO_free(bio);
    ERR_clear_error();
    if (sk_X509_num(t->anchors) == before)
        return err_set(err, OUTCOME_FAILED, "'%s' holds no certificate in PEM", file);
    return 0;
}

/* One in DER, or any number in PEM. */
static X509_CRL *
next_crl(BIO *bio, bool first)
{
    X509_CRL *c = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

    return !c && first && BIO_seek(bio, 0) == 0 ? d2i_X509_CRL_bio(bio, NULL) : c;
}

static int
add_crls(struct trust *t, const char *file, struct err *err)
{
    BIO *bio = open_file(file, err);
    int before = sk_X509_CRL_num(t->crls);
    X509_CRL *c;

    if (!bio)
        return -1;
    while ((c = next_crl(bio, sk_X509_CRL_num(t->crls) == before)) != NULL) {
        if (sk_X509_CRL_push(t->crls, c) <= 0)
            X509_CRL_free(c);
    }
    (void)BIO_free(bio);
    ERR_clear_error();
    if (sk_X509_CRL_num(t->crls) == before)
        return err_set(err, OUTCOME_FAILED, "'%s' holds no revocation list", file);
    return 0;
}

static int
add_all(struct trust *t, const struct trust_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->n_ca_files; i++) {
        if (add_anchors(t, spec->ca_files[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < spec->n_crl_files; i++) {
        if (add_crls(t, spec->crl_files[i], err) != 0)
            return -1;
    }
    t->paths = xcalloc(spec->n_ca_paths + 1, sizeof *t->paths);
    for (size_t i = 0; i < spec->n_ca_paths; i++)
        t->paths[t->n_paths++] = xstrdup(spec->ca_paths[i]);
    return 0;
}

struct trust *
trust_new(const struct trust_spec *spec, struct err *err)
{
    struct trust *t = xcalloc(1, sizeof *t);

    t->anchors = sk_X509_new_null();
    t->crls = sk_X509_CRL_new_null();
    if (add_all(t, spec, err) == 0)
        return t;
    trust_free(t);
    return NULL;
}

void
trust_free(struct trust *t)
{
    if (!t)
        return;
    sk_X509_pop_free(t->anchors, X509_free);
    sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
    for (size_t i = 0; i < t->n_paths; i++)
        free(t->paths[i]);
    free(t->paths);
    free(t);
}

bool
trust_has_anchors(const struct trust *t)
{
    return t && (sk_X509_num(t->anchors) > 0 || t->n_paths > 0);
}

bool
trust_may_sign(X509 *certificate)
{
    return (X509_get_key_usage(certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

/* --- stores --- */

static X509_STORE *
empty_store(int64_t at, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;

    if (!param)
        abort(); /* out of memory */
    (void)X509_VERIFY_PARAM_set_purpose(param, purpose);
    if (at != 0)
        X509_VERIFY_PARAM_set_time(param, (time_t)at);
    return store;
}

X509_STORE *
trust_store(const struct trust *t, int64_t at, int purpose)
{
    X509_STORE *store = empty_store(at, purpose);
    X509_LOOKUP *dirs = NULL;

    for (int i = 0; i < sk_X509_num(t->anchors); i++)
        (void)X509_STORE_add_cert(store, sk_X509_value(t->anchors, i));
    for (int i = 0; i < sk_X509_CRL_num(t->crls); i++)
        (void)X509_STORE_add_crl(store, sk_X509_CRL_value(t->crls, i));
    if (t->n_paths > 0)
        dirs = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    for (size_t i = 0; dirs && i < t->n_paths; i++)
        (void)X509_LOOKUP_add_dir(dirs, t->paths[i], X509_FILETYPE_PEM);
    /* Of the signer alone: lists of the authorities above are seldom at hand. */
    if (sk_X509_CRL_num(t->crls) > 0)
        (void)X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    ERR_clear_error();
    return store;
}

X509_STORE *
trust_store_of(X509 *certificate, bool timely, int purpose)
{
    X509_STORE *store = empty_store(0, purpose);

    (void)X509_STORE_add_cert(store, certificate);
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN |
                                          (timely ? 0 : X509_V_FLAG_NO_CHECK_TIME));
    return store;
}
