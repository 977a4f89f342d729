/*
 * The papers of an acquisition: manifest, mapfile, checksum files, and what the log says of it.
 */
#ifndef EXHIBIT_ACQUIRE_PAPERS_H
#define EXHIBIT_ACQUIRE_PAPERS_H

#include "acquire/front/acquisition.h"

/* The log's first part: what is about to be done. */
void papers_log_begin(const struct acquisition *a);
/* Its last part: hashes, segments, unreadable ranges. */
void papers_log_end(const struct acquisition *a);

/* NAME.md5, NAME.sha256 and NAME.map in destination i. */
int papers_write_side_files(const struct acquisition *a, size_t i, struct err *err);

/* NAME.manifest.json in destination i, over the one that stands there; *sha256 (of
   DIGEST_HEX_MAX) gets its hash. */
int papers_write_manifest(const struct acquisition *a, size_t i, char *sha256, struct err *err);

/* The manifest as JSON; a new reference. */
json_t *papers_manifest(const struct acquisition *a, size_t i);

/* The command line as typed, quoted for a shell where needed; the caller frees it. */
char *papers_command_line(const struct acquisition *a);

/* As a shell takes it; the caller frees it. */
char *papers_quoted(const char *s);

#endif
