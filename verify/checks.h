/*
 * The checks of the contract and the verdict that follows from them. A check that did not run says
 * why; it never counts as passed.
 */
#ifndef EXHIBIT_VERIFY_CHECKS_H
#define EXHIBIT_VERIFY_CHECKS_H

#include "common/image_locate.h"
#include "common/proof.h"
#include "verify/against.h"
#include "verify/compare.h"
#include "verify/evidence.h"
#include "verify/scan.h"

enum check_id {
    CHECK_SEGMENTS,
    CHECK_STRUCTURE,
    CHECK_CHUNKS,
    CHECK_MEDIA_HASH,
    CHECK_STORED_HASH,
    CHECK_PIECEWISE,
    CHECK_MAP,
    CHECK_SIGNATURE,
    CHECK_TIMESTAMP,
    CHECK_LEDGER,
    CHECK_SOURCE,
    CHECK_COUNT,
};

enum check_status {
    STATUS_NOT_RUN,
    STATUS_PASSED,
    STATUS_FAILED,
};

#define CHECK_PLACES_MAX 1000 /* kept; all of the damage is in the ranges */

/* Where something is wrong. */
struct check_place {
    char *segment;        /* path of the file, or NULL */
    uint64_t file_offset; /* in it; UINT64_MAX: nowhere in particular */
    struct range media;   /* length 0: no media that is known */
};

struct check {
    enum check_status status;
    bool incomplete;      /* failed, but only for what is missing or cut off */
    bool reference;       /* passed against hashes over everything */
    char *target;         /* the file that it speaks of */
    char *detail;         /* for people; raw, not escaped */
    size_t n_problems;    /* named in the detail, or counted there */
    struct ranges ranges; /* of the media that is damaged */
    struct check_place *places;
    size_t n_places;
};

enum verdict {
    VERDICT_PASSED,
    VERDICT_FAILED,
    VERDICT_INCOMPLETE,
    VERDICT_UNREFERENCED,
};

/* What the checks look at. */
struct check_input {
    const struct image_location *location;
    const struct image *image;
    const struct scan_result *scan;
    const struct evidence_set *evidence;  /* of other tools */
    const struct ranges *unreadable;      /* when the image was made */
    const struct against *against;        /* or NULL: no source was given */
    const struct compare_result *compare; /* with it */
    uint64_t source_offset;               /* where the media begins in the source */
    uint64_t source_size;                 /* bytes that the source had */
    const char *map; /* DEST.map, or NULL: none, or `map_problem` says why it is unusable */
    size_t map_size;
    const char *map_problem;
    const struct proof *proof; /* what lies beside the manifest to prove it */
    const struct trust *trust; /* who is trusted with that */
    const char *ledger_head;   /* as it was noted elsewhere, or NULL */
    bool require[CHECK_COUNT];
};

/* Fills all of checks[CHECK_COUNT]. */
void checks_run(const struct check_input *in, struct check *checks);
void checks_free(struct check *checks);

enum verdict checks_verdict(const struct check *checks);

const char *check_name(enum check_id id);
/* -1 if there is none of that name. */
int check_by_name(const char *name);
const char *check_status_name(enum check_status status);
const char *verdict_name(enum verdict v);

/* Records a problem: the check has failed. The first few are named in the detail. */
void check_fail(struct check *c, bool incomplete, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Says where; segment may be NULL and is copied. Does not add to the ranges. */
void check_place(struct check *c, const char *segment, uint64_t file_offset, struct range media);
void check_pass(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_skip(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* checks_image.c: what the image itself shows. */
void check_segments(const struct check_input *in, struct check *c);
void check_structure(const struct check_input *in, struct check *c);
void check_chunks(const struct check_input *in, struct check *c);

/* checks_hash.c */
void check_media_hash(const struct check_input *in, struct check *c);
void check_stored_hash(const struct check_input *in, struct check *c);
void check_piecewise(const struct check_input *in, struct check *c);

/* checks_source.c */
void check_source(const struct check_input *in, struct check *c);

/* checks_proof.c */
void check_signature(const struct check_input *in, struct check *c);
void check_timestamp(const struct check_input *in, struct check *c);
void check_ledger(const struct check_input *in, struct check *c);

/* checks_map.c */
/* Of a raw image without a manifest: what DEST.map (of ddrescue) calls anything but rescued, if it
   is a map of media of that size. */
void map_unreadable(const char *map, size_t n, uint64_t media_size, struct ranges *out);
void check_map(const struct check_input *in, struct check *c);

#endif
