#include "common/timestamp.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "common/text.h"
#include "common/trust.h"

#define NONCE_BITS 64

/* --- asking --- */

static bool
set_imprint(TS_REQ *req, const void *data, size_t size)
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool good = imprint && algorithm &&
                EVP_Digest(data, size, digest, &n, EVP_sha256(), NULL) == 1 &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, digest, (int)n) == 1 &&
                TS_REQ_set_msg_imprint(req, imprint) == 1;

    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    return good;
}

static bool
set_nonce(TS_REQ *req)
{
    BIGNUM *n = BN_new();
    ASN1_INTEGER *nonce = NULL;
    bool good = n && BN_rand(n, NONCE_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                (nonce = BN_to_ASN1_INTEGER(n, NULL)) != NULL && TS_REQ_set_nonce(req, nonce) == 1;

    ASN1_INTEGER_free(nonce);
    BN_free(n);
    return good;
}

static bool
set_policy(TS_REQ *req, const char *policy)
{
    ASN1_OBJECT *oid = policy ? OBJ_txt2obj(policy, 1) : NULL;
    bool good = !policy || (oid && TS_REQ_set_policy_id(req, oid) == 1);

    ASN1_OBJECT_free(oid);
    return good;
}

uint8_t *
timestamp_request(const void *data, size_t size, const char *policy, size_t *n, struct err *err)
{
    TS_REQ *req = TS_REQ_new();
    unsigned char *der = NULL;
    uint8_t *out = NULL;
    int length = -1;

    if (req && !set_policy(req, policy)) {
        (void)err_set(err, OUTCOME_USAGE, "'%s' is no object identifier of a policy", policy);
    } else if (!req || TS_REQ_set_version(req, 1) != 1 || !set_imprint(req, data, size) ||
               !set_nonce(req) || TS_REQ_set_cert_req(req, 1) != 1 ||
               (length = i2d_TS_REQ(req, &der)) <= 0) {
        (void)err_set(err, OUTCOME_FAILED, "cannot make a request for a time stamp");
    } else {
        *n = (size_t)length;
        out = xcalloc(*n, 1);
        memcpy(out, der, *n);
    }
    ERR_clear_error();
    OPENSSL_free(der);
    TS_REQ_free(req);
    return out;
}

/* --- checking --- */

void
timestamp_facts_clear(struct timestamp_facts *f)
{
    free(f->authority);
    free(f->serial);
    free(f->policy);
    *f = (struct timestamp_facts){0};
}

static char *
serial_text(const ASN1_INTEGER *serial)
{
    BIGNUM *n = serial ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;
    char *hex = n ? BN_bn2hex(n) : NULL;
    char *out = hex ? xstrdup(hex) : NULL;

    OPENSSL_free(hex);
    BN_free(n);
    return out;
}

static char *
policy_text(const ASN1_OBJECT *oid)
{
    char text[128];

    return oid && OBJ_obj2txt(text, sizeof text, oid, 1) > 0 ? xstrdup(text) : NULL;
}

/* What the token says; whether it is true is another question. */
static void
note_token(TS_TST_INFO *info, struct timestamp_facts *out)
{
    out->time = trust_time(TS_TST_INFO_get_time(info));
    out->serial = serial_text(TS_TST_INFO_get_serial(info));
    out->policy = policy_text(TS_TST_INFO_get_policy_id(info));
}

static X509 *
find_certificate(PKCS7 *token, struct timestamp_facts *out)
{
    STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
    X509 *cert = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;

    sk_X509_free(signers);
    if (cert)
        out->authority = trust_name(X509_get_subject_name(cert));
    else
        (void)snprintf(out->why, sizeof out->why, "the authority's certificate is not in it");
    ERR_clear_error();
    return cert;
}

static TS_RESP *
parse(const void *der, size_t n, struct timestamp_facts *out)
{
    const unsigned char *p = der;
    TS_RESP *resp = n <= SIGNATURE_MAX ? d2i_TS_RESP(NULL, &p, (long)n) : NULL;
    const TS_STATUS_INFO *status;
    long code;

    if (!resp || p != (const unsigned char *)der + n) {
        (void)snprintf(out->why, sizeof out->why, "%s",
                       resp ? "bytes follow the response"
                            : "this is no response of a time stamp authority in DER");
        TS_RESP_free(resp);
        ERR_clear_error();
        return NULL;
    }
    status = TS_RESP_get_status_info(resp);
    code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
    if ((code == TS_STATUS_GRANTED || code == TS_STATUS_GRANTED_WITH_MODS) &&
        TS_RESP_get_token(resp) && TS_RESP_get_tst_info(resp))
        return resp;
    (void)snprintf(out->why, sizeof out->why, "the authority did not grant it (status %ld)", code);
    TS_RESP_free(resp);
    return NULL;
}

/* The context takes the store over, and the data's BIO with it. */
static bool
verify(TS_RESP *resp, TS_VERIFY_CTX *ctx, X509_STORE *store, struct timestamp_facts *out)
{
    bool good;

    if (!ctx) {
        X509_STORE_free(store);
        return false;
    }
    (void)TS_VERIFY_CTX_set_store(ctx, store);
    (void)TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE);
    good = TS_RESP_verify_response(ctx, resp) == 1;
    if (!good)
        trust_reason(out->why, sizeof out->why);
    TS_VERIFY_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* The digest of the imprint is the authority's choice within the request; a weak one is none. */
static bool
imprint_is_strong(TS_TST_INFO *info, struct timestamp_facts *out)
{
    X509_ALGOR *algorithm = TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info));

    if (!trust_digest_is_weak(OBJ_obj2nid(algorithm->algorithm)))
        return true;
    (void)snprintf(out->why, sizeof out->why, "its digest is too weak to prove anything");
    return false;
}

static TS_VERIFY_CTX *
context_of_request(const void *request, size_t n)
{
    const unsigned char *p = request;
    TS_REQ *req = d2i_TS_REQ(NULL, &p, (long)n);
    TS_VERIFY_CTX *ctx = req ? TS_REQ_to_TS_VERIFY_CTX(req, NULL) : NULL;

    TS_REQ_free(req);
    return ctx;
}

static TS_VERIFY_CTX *
context_of_data(const void *data, size_t size)
{
    TS_VERIFY_CTX *ctx = size <= INT32_MAX ? TS_VERIFY_CTX_new() : NULL;

    if (!ctx)
        return NULL;
    (void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_DATA);
    (void)TS_VERIFY_CTX_set_data(ctx, BIO_new_mem_buf(data, (int)size));
    return ctx;
}

void
timestamp_check_response(const void *der, size_t n, const void *request, size_t request_size,
                         const struct trust *trust, struct timestamp_facts *out)
{
    TS_RESP *resp;
    X509 *cert;

    *out = (struct timestamp_facts){0};
    resp = parse(der, n, out);
    if (!resp)
        return;
    note_token(TS_RESP_get_tst_info(resp), out);
    cert = find_certificate(TS_RESP_get_token(resp), out);
    if (cert && imprint_is_strong(TS_RESP_get_tst_info(resp), out))
        out->intact = verify(resp, context_of_request(request, request_size),
                             trust_store_of(cert, true, X509_PURPOSE_TIMESTAMP_SIGN), out);
    if (out->intact && trust_has_anchors(trust))
        out->trusted = verify(resp, context_of_request(request, request_size),
                              trust_store(trust, 0, X509_PURPOSE_TIMESTAMP_SIGN), out);
    TS_RESP_free(resp);
}

void
timestamp_check(const void *der, size_t n, const void *data, size_t size, const struct trust *trust,
                struct timestamp_facts *out)
{
    TS_RESP *resp;
    X509 *cert;

    *out = (struct timestamp_facts){0};
    resp = parse(der, n, out);
    if (!resp)
        return;
    note_token(TS_RESP_get_tst_info(resp), out);
    cert = find_certificate(TS_RESP_get_token(resp), out);
    if (cert && imprint_is_strong(TS_RESP_get_tst_info(resp), out))
        out->intact = verify(resp, context_of_data(data, size),
                             trust_store_of(cert, false, X509_PURPOSE_TIMESTAMP_SIGN), out);
    if (out->intact && trust_has_anchors(trust))
        out->trusted = verify(resp, context_of_data(data, size),
                              trust_store(trust, out->time, X509_PURPOSE_TIMESTAMP_SIGN), out);
    else if (out->intact)
        (void)snprintf(out->why, sizeof out->why, "no authority was named to trust");
    TS_RESP_free(resp);
}
