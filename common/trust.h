/*
 * The authorities that a user trusts, in OpenSSL's shape, for signatures and timestamps alike. Only
 * the files that wrap libcrypto's CMS and TS include this; all others see common/signature.h.
 */
#ifndef EXHIBIT_TRUST_H
#define EXHIBIT_TRUST_H

#include <openssl/x509_vfy.h>

#include "common/signature.h"

/* A store for one check: the trusted authorities, with certificates judged at `at` (0: now) for the
   purpose (X509_PURPOSE_…). Never NULL. The caller frees it. */
X509_STORE *trust_store(const struct trust *t, int64_t at, int purpose);

/* A store that trusts this one certificate and nothing else: what is checked with it is whether the
   signature fits, not who made it. `timely`: the certificate must be valid now. */
X509_STORE *trust_store_of(X509 *certificate, bool timely, int purpose);

/* Whether its key usage, where it has one, is to sign (RFC 5280, 4.2.1.3). */
bool trust_may_sign(X509 *certificate);

/* The name as text (RFC 2253, UTF-8); the caller frees it. */
char *trust_name(const X509_NAME *name);

int64_t trust_time(const ASN1_TIME *t); /* epoch; 0 where it is none */

/* OpenSSL's last word, made readable; empties its queue of errors. */
void trust_reason(char *text, size_t size);

/* Whether a digest is not strong enough to prove anything any more (below 224 bits, MD5, SHA-1). */
bool trust_digest_is_weak(int nid);

#endif
