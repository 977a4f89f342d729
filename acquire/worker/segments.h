/*
 * Finished segment files: made durable (fsync), hashed where the media lanes have not done so, and
 * listed, by a thread of its own, so that the sink goes on writing meanwhile.
 */
#ifndef EXHIBIT_ACQUIRE_SEGMENTS_H
#define EXHIBIT_ACQUIRE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/job/resume.h"
#include "common/digest.h"
#include "common/err.h"

struct segment {
    char *file;
    uint64_t size;         /* bytes of the file */
    uint64_t media_offset; /* bytes of the image */
    uint64_t media_length;
    char md5[DIGEST_HEX_MAX]; /* "" until hashed */
    char sha256[DIGEST_HEX_MAX];
};

struct segment_log;

/* dir: where the files lie (stays the caller's). hash_files: the log hashes them (E01), from the
   bytes that it is given while they are written; without it the hashes are the caller's to fill in
   (raw: the lanes have them). */
struct segment_log *segment_log_new(int dir, bool hash_files, struct err *err);

/* A file that was there before the first one is begun, in the directory `dir` (stays the caller's).
   If the log hashes files, it reads and hashes this one too, and it must be what its promise
   says. */
void segment_log_keep(struct segment_log *log, int dir, const struct kept_segment *kept);

/* A file has been begun; it holds the media from media_offset on. One is open at a time. */
void segment_log_begin(struct segment_log *log, const char *file, uint64_t media_offset);

/* Without hash_files: the first `bytes` of the open file have been written and can be made
   durable. */
void segment_log_settled(struct segment_log *log, uint64_t bytes);

/* With hash_files: the next n bytes of the open file. They stay the caller's, unchanged until they
   are hashed: segment_log_wait() returns when at most `most` of the pieces that were given are not,
   or when the log has failed and will not touch them any more. A log without hash_files, and one
   that has failed, takes nothing. */
#define SEGMENT_PIECES_MAX 4
void segment_log_give(struct segment_log *log, const uint8_t *p, size_t n);
void segment_log_wait(struct segment_log *log, size_t most);

/* The open file will not be written any more. */
void segment_log_close(struct segment_log *log, uint64_t media_length);

/* -1, with the error, once a file could not be hashed or made durable: nothing after it will be
   either. */
int segment_log_check(struct segment_log *log, struct err *err);

/* Any thread: how many files are closed, hashed and durable; and segment i of these, whose name
   stays the log's. */
size_t segment_log_done(struct segment_log *log);
struct segment segment_log_at(struct segment_log *log, size_t i);

/* Any thread: how far the media are durable, in closed files and, if the log does not hash files,
   in the open one. */
uint64_t segment_log_durable(struct segment_log *log);

/* Waits until all is done; of an open file that is not hashed, what has settled is made durable. -1
   with the first error. */
int segment_log_finish(struct segment_log *log, struct err *err);

void segment_log_free(struct segment_log *log);

#endif
