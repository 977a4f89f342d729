/*
 * Writes the segment files of an E01, one after the other. Bytes are gathered in a large aligned
 * buffer, hashed from there by the segment log's thread and written past the page cache, where the
 * file system can do that: they are copied once, and never read back for their hash. What has not
 * been sent can still be changed.
 */
#ifndef EXHIBIT_ACQUIRE_SEGMENT_WRITER_H
#define EXHIBIT_ACQUIRE_SEGMENT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/segments.h"
#include "common/err.h"

struct segment_writer;

/* dir, log: the caller's, for as long as the writer lives. room: what can be added between two
   sends, bytes. */
struct segment_writer *segment_writer_new(int dir, struct segment_log *log, size_t room,
                                          struct err *err);
void segment_writer_free(struct segment_writer *w);

/* A new file, which must not exist; the one before has been ended. */
int segment_writer_begin(struct segment_writer *w, const char *file, uint64_t media_offset,
                         struct err *err);

/* Room for the next n bytes of the file, which count as added. */
uint8_t *segment_writer_add(struct segment_writer *w, size_t n);

/* How many bytes were added to the file in all. */
uint64_t segment_writer_at(const struct segment_writer *w);

/* What was added from byte `at` of the file on, after the last send. */
uint8_t *segment_writer_added(struct segment_writer *w, uint64_t at);

/* What was added is final, and goes to the disk. */
int segment_writer_send(struct segment_writer *w, struct err *err);

/* The same of the rest, and no more of this file. */
int segment_writer_end(struct segment_writer *w, uint64_t media_length, struct err *err);

#endif
