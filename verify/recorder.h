/*
 * Who writes verdicts into ledgers (--record): a process that is forked before the sandbox closes
 * the file system, and is told what to write through a pipe. It takes nothing else.
 */
#ifndef EXHIBIT_VERIFY_RECORDER_H
#define EXHIBIT_VERIFY_RECORDER_H

#include <jansson.h>

#include "common/err.h"

struct recorder;

/* For images with these manifests (NULL for one without), by their place in the list. */
struct recorder *recorder_start(const char *const *manifests, size_t n, struct err *err);

/* Adds to the ledger of that image that it was verified, with these fields (taken over). */
int recorder_add(struct recorder *r, size_t image, json_t *fields, struct err *err);
void recorder_end(struct recorder *r);

#endif
