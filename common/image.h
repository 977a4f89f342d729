/*
 * The image reader: raw (one file or split) and EWF-E01 images as one run of media bytes. Our own
 * implementation, so that what other tools wrote is checked by another one, and which shares with
 * our writer only what is in ewf_format.h. Every number in the files is taken as hostile. What is
 * wrong with an image that can still be read in part is a finding (struct image_finding); only what
 * leaves nothing to read is an error.
 *
 * An image may be read by any number of threads at once after image_open() has returned.
 * Memory is bounded whatever the size of the image.
 */
#ifndef EXHIBIT_IMAGE_H
#define EXHIBIT_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/manifest.h"
#include "common/ranges.h"

enum image_format {
    IMAGE_RAW,
    IMAGE_E01,
};

/* Which check of the verify contract a finding belongs to (docs: exhibit-verify(1)). */
enum image_check {
    IMAGE_CHECK_SEGMENTS,  /* a segment is missing, truncated, swapped or superfluous */
    IMAGE_CHECK_STRUCTURE, /* descriptors, tables and their checksums */
    IMAGE_CHECK_CHUNKS,    /* a chunk does not inflate, or its checksum differs */
};

struct image_finding {
    enum image_check check;
    bool incomplete;      /* something is missing or cut off, rather than wrong */
    bool remark;          /* odd, worth saying, but nothing that the check fails for */
    char *segment;        /* path of the segment file, or NULL */
    uint64_t file_offset; /* in that file, bytes; UINT64_MAX where there is none */
    struct range media;   /* what it damages; length 0 if nothing or unknown */
    char *text;           /* for people; raw, not escaped */
};

struct image_segment {
    char *path;
    uint64_t size; /* bytes of the file; 0 if it is missing */
    bool present;
    size_t listed;         /* its place by name, from 0: the manifest's segments[listed] */
    uint64_t media_offset; /* the media range that it holds (as far as its tables tell) */
    uint64_t media_length;
};

struct image_header { /* one header value that an E01 carries */
    char *name;       /* "case_number", "description", "examiner_name", "evidence_number", "notes",
                         "acquiry_date", … (libewf's names) */
    char *value;      /* UTF-8 */
};

struct image_info {
    enum image_format format;
    uint64_t media_size;       /* bytes */
    uint32_t bytes_per_sector; /* 512 for raw unless the options say otherwise */
    uint32_t chunk_size;       /* bytes; for raw the unit in which it is read */
    uint64_t chunk_count;
    uint64_t held; /* the media from 0 to here lies in the files without a gap; less than
                      media_size where a segment is missing or the set was never finished */
    const struct image_segment *segments;
    size_t n_segments;
    const struct image_header *headers; /* E01 only */
    size_t n_headers;
    struct manifest_hashes stored;        /* hashes that the E01 itself carries ("md5", "sha1") */
    struct ranges acquiry_errors;         /* E01 error2, in bytes of the media */
    const struct image_finding *findings; /* from opening; all of check SEGMENTS or STRUCTURE */
    size_t n_findings;
};

struct image_options {
    const struct manifest *manifest; /* names, order and sizes of the segments; or NULL */
    uint32_t sector_size;            /* for raw; 0 is 512, or what the manifest says */
    bool open_only;                  /* leave the rest to image_load() */
};

struct image;

/* Opens the image whose first segment is at path (or, with a manifest, the manifest's segments;
   path is then the manifest's own path, beside which they lie). Raw: FILE, or FILE.001 and the
   numbers that follow (segname.h: those of other tools, too). All segment files are opened here,
   without following symbolic links out of any sandbox set up later. Errors: OUTCOME_FAILED: no such
   file, not an image, a directory; OUTCOME_FINDINGS: an image, but so damaged that nothing of it
   can be read (sys is ENODATA where it is cut off). */
struct image *image_open(const char *path, const struct image_options *options, struct err *err);

/* After image_open() with open_only, which finds and opens the files, but parses no more of them
   than tells their format and order: the rest, so that it can be done in a sandbox. Until then only
   the segments' paths and image_directories() are known. The options' manifest must still be there.
   Errors: as of image_open(). */
int image_load(struct image *img, struct err *err);
void image_free(struct image *img);

/* One segment file of a set that has no names to go by. */
struct image_part {
    int dir;          /* descriptor of the directory it lies in, or AT_FDCWD; stays the caller's */
    const char *name; /* in that directory, or a path */
};

/* The closed segments of an image that is being written, from the first on, in order; they may lie
   in different directories. */
struct image_parts {
    enum image_format format;
    uint64_t media_size;  /* that the finished image is to have, bytes; 0: what the E01 says */
    uint32_t sector_size; /* for raw; 0 is 512 */
    const struct image_part *v;
    size_t n; /* at least 1 */
};

/* Opens what is there of an image: an E01 set need not end in "done", and no file beside those
   given is looked for. That more is to follow is no finding. info->held says how far the media
   reaches; behind it image_read() fails with sys ENODATA and chunks are CHUNK_MISSING. Works within
   a sandbox that lets the directories be read. Errors: a file that is not there or no segment;
   media_size is not what the E01 says, or less than raw files hold. */
struct image *image_open_parts(const struct image_parts *parts, struct err *err);

const struct image_info *image_info(const struct image *img);

/* Reads up to n bytes of the media at offset; short only at the end of the media. -1: what is
   there cannot be read (damaged chunk, I/O error), the error says where; sys is ENODATA where it is
   missing, EIO where it is damaged. buf then holds what can be had all the same: data whose
   checksum is wrong as it stands, zeros for the rest. Thread-safe. */
ssize_t image_read(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err);

enum chunk_state {
    CHUNK_OK,
    CHUNK_MISSING,  /* no table entry, or past the end of its segment */
    CHUNK_CORRUPT,  /* does not inflate to its size */
    CHUNK_MISMATCH, /* the stored checksum differs; the data is in the buffer */
    CHUNK_IO,       /* the segment file could not be read there */
};

struct chunk {
    enum chunk_state state;
    size_t length;        /* bytes of media in buf */
    size_t segment;       /* index into info->segments */
    uint64_t file_offset; /* where the chunk starts in the segment file; where its table entry leads
                             nowhere, that entry's place */
    uint64_t file_length; /* its stored size there, bytes; 0 if unknown */
};

/* Reads and checks `count` chunks from `first` on (first + count <= chunk_count) into buf, one
   after the other (chunk_size bytes each, the last of the media shorter); what cannot be had is
   zero. `scratch` is one thread's own working memory, from image_scratch_new(). */
struct image_scratch;
struct image_scratch *image_scratch_new(const struct image *img, struct err *err);
void image_scratch_free(struct image_scratch *s);
void image_read_chunks(struct image *img, struct image_scratch *scratch, uint64_t first,
                       size_t count, void *buf, struct chunk *out);

/* What image_read_chunks() read of a segment file, for who wants the same bytes: *held gets those
   that it read last (n is 0 for none), and the scratch the memory of *held to go on with. *held
   begins as zeros and ends with free(held->data). */
struct image_held {
    size_t segment;  /* index into info->segments */
    uint64_t offset; /* in that file */
    size_t n;        /* bytes at data */
    size_t cap;      /* that data has room for */
    uint8_t *data;
};
void image_scratch_exchange(struct image_scratch *s, struct image_held *held);

/* The first chunk from `index` on for which the image has a place, or chunk_count. A forged size
   can promise far more chunks than any loop should visit: skip from one to the next with this. */
uint64_t image_next_mapped(const struct image *img, uint64_t index);

/* Where checks that run later put what they find; `f` is valid during the call only. */
typedef void image_finding_fn(void *arg, const struct image_finding *f);

/* Reads every chunk table and its copy against their checksums and each other: the part of the
   structure that image_open() leaves for later, since it grows with the media. `stop` (may be
   NULL) is looked at between tables. May run beside the reading functions. */
void image_check_tables(struct image *img, const atomic_bool *stop, image_finding_fn *found,
                        void *arg);

/* Descriptors of the directories from which segments are opened later on, where there are more of
   them than descriptors; a sandbox must leave them readable. Usually none. */
size_t image_directories(const struct image *img, const int **fds);

/* Reads n bytes of a segment's file (not of the media); short only at its end. -1 with errno. */
ssize_t image_segment_read(const struct image *img, size_t segment, void *buf, size_t n,
                           uint64_t offset);

/* Tells the kernel that all segments will be read from front to back. */
void image_expect_sequential(const struct image *img);

/* Takes all segments out of the page cache, so that what is read next comes from the medium.
   True if the kernel shows that every page went (mincore). */
bool image_drop_cache(const struct image *img);

#endif
