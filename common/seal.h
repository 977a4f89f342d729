/*
 * Sealing a finished image: the signature over its manifest, the time stamp, and the lines of the
 * ledger that say so (docs/custody.md). What fails never touches what is there already.
 */
#ifndef EXHIBIT_SEAL_H
#define EXHIBIT_SEAL_H

#include "common/custody.h"
#include "common/signature.h"

#define SEAL_TSA_MAX 16

/* Signs the manifest into NAME.p7s, or, beside an earlier signature, NAME.2.p7s and so on (a
   witness). *file is the name; the caller frees it. Someone who has signed already is refused. */
int seal_sign(const struct custody *c, const struct signer *by, char **file, struct err *err);

struct seal_tsa {
    const char *urls[SEAL_TSA_MAX]; /* the next is asked where one fails */
    size_t n_urls;
    const char *policy;        /* or NULL */
    unsigned timeout;          /* seconds for each */
    const struct trust *trust; /* or NULL: nobody in particular */
};

/* Stamps the first signature, or the manifest if there is none, into NAME.tsr. *file as above. */
int seal_timestamp(const struct custody *c, const struct seal_tsa *tsa, char **file,
                   struct err *err);

/* Without a network: writes the request to NAME.tsq, … */
int seal_write_request(const struct custody *c, const char *policy, char **file, struct err *err);
/* … and takes the response that was brought back. */
int seal_take_response(const struct custody *c, const char *path, const struct trust *trust,
                       char **file, struct err *err);

#endif
