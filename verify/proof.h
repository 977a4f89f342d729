/*
 * What stands beside a manifest to prove it: signatures, a time stamp, the ledger. Read before the
 * sandbox closes the file system, judged inside it.
 */
#ifndef EXHIBIT_VERIFY_PROOF_H
#define EXHIBIT_VERIFY_PROOF_H

#include "common/ledger.h"
#include "common/signature.h"

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

#endif
