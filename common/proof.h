/*
 * What stands beside a manifest to prove it: signatures, a time stamp, the ledger. Reading the
 * files and judging them are apart, so that the judging can be done inside a sandbox.
 */
#ifndef EXHIBIT_PROOF_H
#define EXHIBIT_PROOF_H

#include "common/ledger.h"
#include "common/signature.h"
#include "common/timestamp.h"

struct proof_file {
    char *name; /* no directory part */
    char *data; /* NULL: it cannot be read, `problem` says why */
    size_t n;
    char *problem;
};

struct proof {
    struct proof_file manifest; /* name NULL: the image has none */
    struct proof_file *signatures;
    size_t n_signatures;
    struct proof_file timestamp; /* name NULL: there is none */
    char *ledger_name;
    bool has_ledger;
    char *ledger_problem; /* why it cannot be read */
    struct ledger ledger;
};

/* Reads the manifest of that stem (DEST) and all that lies beside it. Problems are in *out. */
void proof_load(struct proof *out, const char *stem);
void proof_clear(struct proof *p);

/* The file of that name among the signatures and the time stamp, or NULL. */
const struct proof_file *proof_find(const struct proof *p, const char *name);

/* Whether the file has this SHA-256. */
bool proof_hash_is(const struct proof_file *f, const char *sha256);

/* Judges the time stamp: of the first signature if it is of that, else of the manifest. Without
   one, nothing in *out is set. */
void proof_judge_timestamp(const struct proof *p, const struct trust *trust,
                           struct timestamp_facts *out);

/* At what time certificates are to be judged: when a trusted authority stamped the signature, else
   0, for now. A stamp of the manifest does not show that anything was signed by then. */
int64_t proof_time(const struct proof *p, const struct trust *trust);

#endif
