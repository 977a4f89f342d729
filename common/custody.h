/*
 * An image as its custody sees it: DEST, the manifest beside it, and the ledger bound to that.
 */
#ifndef EXHIBIT_CUSTODY_H
#define EXHIBIT_CUSTODY_H

#include <jansson.h>

#include "common/err.h"
#include "common/ledger.h"

struct custody {
    int dir;        /* of DEST; O_PATH */
    char *manifest; /* file names in it */
    char *ledger;
    char *text; /* the manifest's bytes */
    size_t size;
    char sha256[LEDGER_HASH_MAX]; /* of them */
};

/* DEST is as it was given to `exhibit acquire`, or the manifest's own name. The manifest must be
   there and be one. */
int custody_open(struct custody *c, const char *dest, struct err *err);
void custody_close(struct custody *c);

/* Adds the event (taken over) to the ledger, with the hash of the manifest. */
int custody_record(const struct custody *c, json_t *event, const struct signer *by,
                   char head[LEDGER_HASH_MAX], struct err *err);

/* { "file", "sha256" } of a file that lies beside the manifest, as a new reference. */
json_t *custody_file(const char *name, const void *data, size_t n);

#endif
