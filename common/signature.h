/*
 * Detached signatures: CMS SignedData (RFC 5652) in DER over the exact bytes of a file, CAdES-BES
 * (ETSI EN 319 122-1: with the signing-certificate-v2 attribute of RFC 5035), SHA-256. What is made
 * here `openssl cms -verify -binary -cades` accepts, and what `openssl cms -sign` makes is accepted
 * here. libcrypto does the work and is wrapped by this file and common/timestamp.h.
 */
#ifndef EXHIBIT_SIGNATURE_H
#define EXHIBIT_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SIGNATURE_MAX ((size_t)1 << 20) /* bytes of a .p7s or .tsr that is read */

/* --- signing --- */

struct signer; /* a private key, its certificate, and those between it and an authority */

struct signer_spec {
    const char *key;  /* a file (PEM, DER, PKCS#12) or a URI of OpenSSL's STORE (pkcs11:…) */
    const char *cert; /* the same, for the certificates; NULL: they are where the key is */
    const char *passphrase_file; /* its first line is the passphrase; or NULL */
    int passphrase_fd;           /* the same from a descriptor; -1: none */
    /* With neither it is asked for on the terminal. */
};

/* Loads both and sees that they belong together, and that the certificate is valid now. */
struct signer *signer_load(const struct signer_spec *spec, struct err *err);
void signer_free(struct signer *s);

/* The subject of the certificate, as text (RFC 2253). */
const char *signer_name(const struct signer *s);

/* Why `openssl cms -verify` may want more than its defaults to accept this certificate, or NULL. */
const char *signer_caveat(const struct signer *s);

/* The signature in DER, *n bytes; the caller frees it. Any thread. */
uint8_t *signer_sign(const struct signer *s, const void *data, size_t size, size_t *n,
                     struct err *err);

/* --- trust --- */

struct trust; /* the authorities that the user trusts, and revocation lists */

struct trust_spec {
    const char *const *ca_files; /* PEM */
    size_t n_ca_files;
    const char *const *ca_paths; /* directories by hash, as OpenSSL's */
    size_t n_ca_paths;
    const char *const *crl_files; /* PEM or DER; with one, revocation is checked */
    size_t n_crl_files;
};

struct trust *trust_new(const struct trust_spec *spec, struct err *err);
void trust_free(struct trust *t);
/* Whether any authority is trusted at all. */
bool trust_has_anchors(const struct trust *t);

/* --- checking --- */

struct signature_facts {
    bool intact;     /* made with the certificate's key over exactly these bytes */
    bool trusted;    /* intact, and the certificate leads to an authority that is trusted */
    char *signer;    /* subject, RFC 2253; several as "A; B"; NULL where there is none to be had */
    char *issuer;    /* the same of the certificate's issuer */
    int64_t claimed; /* signing time as the signer says it, the last of several, epoch; 0: none */
    char why[256];   /* why not intact, or not trusted; "" otherwise */
};

/* Checks `n` bytes of DER over the data. `at` is the time at which certificates must be valid (0:
   now). Never fails: what is wrong is in *out, whose texts signature_facts_clear() frees. */
void signature_check(const void *der, size_t n, const void *data, size_t size,
                     const struct trust *trust, int64_t at, struct signature_facts *out);
void signature_facts_clear(struct signature_facts *f);

#endif
