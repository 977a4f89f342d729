/*
 * Time stamps (RFC 3161): the request for one, and what comes back. A .tsr file is the authority's
 * whole TimeStampResp in DER, as `openssl ts -reply` writes and `openssl ts -verify` reads it.
 */
#ifndef EXHIBIT_TIMESTAMP_H
#define EXHIBIT_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/signature.h"

#define TIMESTAMP_REQUEST_MAX 4096

/* A request for the SHA-256 of the data, with a nonce, asking for the authority's certificate;
   `policy` is an object identifier ("1.2.3") or NULL. DER, *n bytes; the caller frees it. */
uint8_t *timestamp_request(const void *data, size_t size, const char *policy, size_t *n,
                           struct err *err);

struct timestamp_facts {
    bool intact;     /* granted, made by the certificate in it, over exactly these bytes */
    bool trusted;    /* intact, and the certificate leads to an authority that is trusted */
    char *authority; /* subject of its certificate, RFC 2253, or NULL */
    int64_t time;    /* epoch; 0: none */
    char *serial;    /* of the token, hexadecimal, or NULL */
    char *policy;    /* object identifier, or NULL */
    char why[256];   /* why not intact, or not trusted; "" otherwise */
};

/* Checks a response against its request (what has just come back): status, imprint, nonce, policy,
   and that the certificate is one for time stamps and valid now. */
void timestamp_check_response(const void *der, size_t n, const void *request, size_t request_size,
                              const struct trust *trust, struct timestamp_facts *out);

/* Checks a response over the data (years later): certificates are judged at the token's time. */
void timestamp_check(const void *der, size_t n, const void *data, size_t size,
                     const struct trust *trust, struct timestamp_facts *out);
void timestamp_facts_clear(struct timestamp_facts *f);

#endif
