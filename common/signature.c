#include "common/signature.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/x509v3.h>

#include "common/text.h"
#include "common/trust.h"

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

/* One signer a file: a witness signs in a file of their own. */
static X509 *
only_signer(CMS_ContentInfo *cms, CMS_SignerInfo **si, struct signature_facts *out)
{
    STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);
    X509 *cert = NULL;

    if (sk_CMS_SignerInfo_num(all) != 1) {
        (void)snprintf(out->why, sizeof out->why, "it holds %d signers, not one",
                       sk_CMS_SignerInfo_num(all));
        return NULL;
    }
    *si = sk_CMS_SignerInfo_value(all, 0);
    (void)CMS_set1_signers_certs(cms, NULL, 0);
    CMS_SignerInfo_get0_algs(*si, NULL, &cert, NULL, NULL);
    if (!cert)
        (void)snprintf(out->why, sizeof out->why, "the signer's certificate is not in it");
    return cert;
}

static void
check(CMS_ContentInfo *cms, const void *data, size_t size, const struct trust *trust, int64_t at,
      struct signature_facts *out)
{
    CMS_SignerInfo *si = NULL;
    X509 *cert = only_signer(cms, &si, out);
    bool cades;

    if (!cert)
        return;
    out->signer = trust_name(X509_get_subject_name(cert));
    out->issuer = trust_name(X509_get_issuer_name(cert));
    out->claimed = claimed_time(si);
    if (digest_is_weak(si)) {
        (void)snprintf(out->why, sizeof out->why, "its digest is too weak to prove anything");
        return;
    }
    cades = is_cades(si);
    out->intact = verify(cms, trust_store_of(cert, false, X509_PURPOSE_ANY), data, size, cades);
    if (out->intact && trust_has_anchors(trust))
        out->trusted = verify(cms, trust_store(trust, at, X509_PURPOSE_ANY), data, size, cades);
    if (out->trusted && !trust_may_sign(cert)) {
        out->trusted = false;
        (void)snprintf(out->why, sizeof out->why, "the certificate is not one for signatures");
    } else if (!out->intact || (trust_has_anchors(trust) && !out->trusted))
        trust_reason(out->why, sizeof out->why);
    else if (!out->trusted)
        (void)snprintf(out->why, sizeof out->why, "no authority was named to trust");
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
