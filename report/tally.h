/*
 * What was found in one kind of area: how many bytes it has, and which byte values stand in the
 * part that was looked at. Built by the parser child, sent as JSON, checked and summed up by the
 * report.
 */
#ifndef EXHIBIT_REPORT_TALLY_H
#define EXHIBIT_REPORT_TALLY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct tally {
    uint64_t areas;     /* how many pieces make it up (files, gaps) */
    uint64_t bytes;     /* their size */
    uint64_t hist[256]; /* of the bytes looked at; their sum is at most `bytes` */
};

/* One more piece of n bytes, none of them looked at yet. */
void tally_area(struct tally *t, uint64_t n);
/* Bytes of pieces already counted. */
void tally_look(struct tally *t, const void *data, size_t n);

/* Adds b to a. The sums saturate. */
void tally_sum(struct tally *a, const struct tally *b);

uint64_t tally_examined(const struct tally *t);
uint64_t tally_nonzero(const struct tally *t);
/* Shannon entropy of the examined bytes, bits a byte (0 to 8). */
double tally_entropy(const struct tally *t);

/* { "areas", "bytes", "hist": [ 256 numbers ] }, or without hist where nothing was looked at. */
json_t *tally_to_json(const struct tally *t);
/* Checks that the numbers agree. */
int tally_from_json(const json_t *v, struct tally *t, struct err *err);

#endif
