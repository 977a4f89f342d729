#include "common/signature.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/x509v3.h>

#include "common/text.h"
#include "common/trust.h"

#define SIGNERS_MAX 16

void
signature_facts_clear(struct signature_facts *f)
{
    free(f->signer);
    free(f->issuer);
    *f = (struct signature_facts){0};
}

static CMS_ContentInfo *
parse(const void *der, size_t n, struct signature_facts *out)
{
    const unsigned char *p = der;
    CMS_ContentInfo *cms = n <= SIGNATURE_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)n) : NULL;

    if (cms && p == (const unsigned char *)der + n &&
        OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed && CMS_is_detached(cms) == 1)
        return cms;
    (void)snprintf(out->why, sizeof out->why, "%s",
                   cms && p != (const unsigned char *)der + n
                       ? "bytes follow the signature"
                       : "this is no detached CMS signature in DER");
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return NULL;
}

/* Whether the signer's certificate is bound into the signature, as CAdES wants it. */
static bool
is_cades(CMS_SignerInfo *si)
{
    return CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_signingCertificateV2, -1) >= 0 ||
           CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_signingCertificate, -1) >= 0;
}

static int64_t
claimed_time(CMS_SignerInfo *si)
{
    static const int types[] = {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        /* -3: there must be exactly one such attribute, with one value. */
        const ASN1_TIME *t =
            CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_signingTime), -3, types[i]);

        if (t)
            return trust_time(t);
    }
    ERR_clear_error();
    return 0;
}

static bool
digest_is_weak(CMS_SignerInfo *si)
{
    X509_ALGOR *digest = NULL;

    CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
    return !digest || trust_digest_is_weak(OBJ_obj2nid(digest->algorithm));
}

static bool
verify(CMS_ContentInfo *cms, X509_STORE *store, const void *data, size_t size, bool cades)
{
    BIO *bio = size <= INT32_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
    bool good = bio && CMS_verify(cms, NULL, store, bio, NULL,
                                  CMS_BINARY | (cades ? (unsigned)CMS_CADES : 0)) == 1;

    (void)BIO_free(bio);
    X509_STORE_free(store);
    return good;
}

/* "A; B", as the names stand in RFC 2253's text. */
static char *
list_name(char *list, char *name)
{
    char *longer;

    if (!list)
        return name;
    longer = xasprintf("%s; %s", list, name);
    free(list);
    free(name);
    return longer;
}

/* What the signers say of themselves: usually one, since a witness signs in a file of their own,
   but `openssl cms -sign -signer A -signer B` makes a file of several. Each must be one that can be
   judged; their certificates are the stack's, which owns none of them. */
static bool
take_signers(CMS_ContentInfo *cms, STACK_OF(X509) * certs, bool *cades, struct signature_facts *out)
{
    STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);
    int n = sk_CMS_SignerInfo_num(all);

    if (n < 1 || n > SIGNERS_MAX) {
        (void)snprintf(out->why, sizeof out->why, "it holds %d signers, not one to %d",
                       n < 0 ? 0 : n, SIGNERS_MAX);
        return false;
    }
    (void)CMS_set1_signers_certs(cms, NULL, 0);
    *cades = true;
    for (int i = 0; i < n; i++) {
        CMS_SignerInfo *si = sk_CMS_SignerInfo_value(all, i);
        int64_t claimed = claimed_time(si);
        X509 *cert = NULL;

        CMS_SignerInfo_get0_algs(si, NULL, &cert, NULL, NULL);
        if (!cert || sk_X509_push(certs, cert) <= 0) {
            (void)snprintf(out->why, sizeof out->why, "a signer's certificate is not in it");
            return false;
        }
        out->signer = list_name(out->signer, trust_name(X509_get_subject_name(cert)));
        out->issuer = list_name(out->issuer, trust_name(X509_get_issuer_name(cert)));
        out->claimed = claimed > out->claimed ? claimed : out->claimed;
        *cades = *cades && is_cades(si);
        if (digest_is_weak(si)) {
            (void)snprintf(out->why, sizeof out->why, "its digest is too weak to prove anything");
            return false;
        }
    }
    return true;
}

static X509_STORE *
store_of_all(STACK_OF(X509) * certs)
{
    X509_STORE *store = trust_store_of(sk_X509_value(certs, 0), false, X509_PURPOSE_ANY);

    for (int i = 1; i < sk_X509_num(certs); i++)
        (void)X509_STORE_add_cert(store, sk_X509_value(certs, i));
    return store;
}

static bool
all_may_sign(STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (!trust_may_sign(sk_X509_value(certs, i)))
            return false;
    }
    return true;
}

/* OpenSSL takes a signature for good only if every signer's is. */
static void
check(CMS_ContentInfo *cms, const void *data, size_t size, const struct trust *trust, int64_t at,
      struct signature_facts *out)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    bool cades;

    if (!certs || !take_signers(cms, certs, &cades, out)) {
        sk_X509_free(certs);
        return;
    }
    out->intact = verify(cms, store_of_all(certs), data, size, cades);
    if (out->intact && trust_has_anchors(trust))
        out->trusted = verify(cms, trust_store(trust, at, X509_PURPOSE_ANY), data, size, cades);
    if (out->trusted && !all_may_sign(certs)) {
        out->trusted = false;
        (void)snprintf(out->why, sizeof out->why, "the certificate is not one for signatures");
    } else if (!out->intact || (trust_has_anchors(trust) && !out->trusted))
        trust_reason(out->why, sizeof out->why);
    else if (!out->trusted)
        (void)snprintf(out->why, sizeof out->why, "no authority was named to trust");
    sk_X509_free(certs);
}

void
signature_check(const void *der, size_t n, const void *data, size_t size, const struct trust *trust,
                int64_t at, struct signature_facts *out)
{
    CMS_ContentInfo *cms;

    *out = (struct signature_facts){0};
    cms = parse(der, n, out);
    if (!cms)
        return;
    check(cms, data, size, trust, at, out);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
}
