/*
 * What the front knows of the source's protection, from its supervisor: the write block and what
 * the I/O monitor has counted. It goes into the log as it happens, and into the manifest.
 */
#ifndef EXHIBIT_ACQUIRE_PROTECTION_H
#define EXHIBIT_ACQUIRE_PROTECTION_H

#include <jansson.h>

#include "acquire/front/acquisition.h"
#include "common/err.h"

/* The log's part about it, before the job begins. */
void protection_log_begin(const struct acquisition *a);

/* Has the supervisor look again, into a->last; a read-only flag that was lost is warned of. -1 if
   the supervisor has gone. */
int protection_look(struct acquisition *a, struct err *err);

/* After the supervisor was heard: who was refused to change the source, into the log. */
void protection_hear(struct acquisition *a);

/* When nothing is left to do but the papers: the counts as they are now, and a line in the log. */
void protection_end(struct acquisition *a);

/* The manifest's write_block; a new reference. */
json_t *protection_json(const struct acquisition *a);

#endif
