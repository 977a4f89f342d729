/*
 * What of smartctl's JSON document (version 7) belongs into a case file. The document is the
 * drive's word in part: fields of the wrong type are left out, texts are cut.
 */
#ifndef EXHIBIT_ACQUIRE_DRIVE_HEALTH_H
#define EXHIBIT_ACQUIRE_DRIVE_HEALTH_H

#include <jansson.h>
#include <stddef.h>

/* A new object, or NULL where the n bytes are no JSON object. Its fields stand in docs/manifest.md;
   `passed` is always there, null where the drive does not say. */
json_t *drive_health_parse(const char *text, size_t n);

/* In words, for the log: "passed, 35 degrees, 1200 hours, 8 reallocated, 0 pending"; the caller
   frees it. */
char *drive_health_text(const json_t *health);

#endif
