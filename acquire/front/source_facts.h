/*
 * What the front learns of the source beside its bytes: what the drive itself says before and after
 * the job, and what else belongs to the same item of evidence. Into log and manifest.
 */
#ifndef EXHIBIT_ACQUIRE_SOURCE_FACTS_H
#define EXHIBIT_ACQUIRE_SOURCE_FACTS_H

#include <jansson.h>

#include "acquire/device/drive_facts.h"

struct acquisition;

struct source_facts {
    struct device_identity identity;
    struct drive_reply before, after;
};

/* Once the device is held: NULL for a file. */
struct source_facts *source_facts_begin(struct acquisition *a);

/* When the worker has ended. */
void source_facts_end(struct acquisition *a);

void source_facts_log(const struct acquisition *a);

/* What the examiner should know before the job runs for hours, on the terminal. */
void source_facts_warn(const struct acquisition *a);

/* Adds to the manifest's source. */
void source_facts_add(json_t *source, const struct acquisition *a);

void source_facts_free(struct source_facts *facts);

#endif
