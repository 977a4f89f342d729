/*
 * What the files of the E01 reader share. An E01 is opened in three steps: its segment files are
 * found and put in order (ewf_files.c), the sections of each are walked (ewf_walk.c, with
 * ewf_values.c for those that hold values), and the tables found get their place in the media
 * (ewf_layout.c). Chunks are then read through ewf_table.c and ewf_chunk.c.
 */
#ifndef EXHIBIT_EWF_IMAGE_H
#define EXHIBIT_EWF_IMAGE_H

#include <stdatomic.h>

#include "common/ewf_format.h"
#include "common/image_impl.h"

/* Bounds on what a file can make us do. 32 MiB is twice the largest chunk that writers offer. */
#define EWF_CHUNK_MAX (UINT32_C(32) << 20)
#define EWF_TABLES_MAX (UINT32_C(1) << 20)
#define EWF_SECTIONS_MAX (UINT32_C(1) << 22) /* of all segments together */

enum ewf_table_state {
    EWF_TABLE_UNCHECKED,
    EWF_TABLE_OWN,  /* its own entries match their checksum (or it has none) */
    EWF_TABLE_COPY, /* they do not, those of table2 do */
    EWF_TABLE_BAD,  /* neither do: its own are used, chunk by chunk they show what they are worth */
};

/* One table section: where it lies and which chunks it locates. Its entries stay in the file. */
struct ewf_table {
    uint64_t first;      /* index of its first chunk in the media */
    uint64_t offset;     /* in the file, of its header */
    uint64_t copy;       /* of table2's header; 0: none that is usable */
    uint64_t data_start; /* in the file: its chunks lie between these two */
    uint64_t data_end;
    uint64_t base;
    uint32_t entries;
    uint32_t segment;
    uint32_t overflow_from; /* the first entry of 32 bits; see ewf_table.c. Set with state */
    _Atomic uint8_t state;
    bool footer; /* a checksum follows the entries */
    bool placed; /* `first` is known */
};

/* What the walk over one segment found. */
struct ewf_segment {
    uint16_t number; /* as its file header says */
    bool walked;     /* to an end that the format allows */
    bool ends_done;  /* its last section is "done" */
    bool placed;     /* `first` is known */
    uint64_t first;  /* index of its first chunk */
    uint64_t chunks; /* that its tables locate */
    size_t table;    /* index of its first table */
    size_t n_tables;
};

struct ewf {
    struct ewf_segment *segments; /* as many as the image has files */
    struct ewf_table *tables;     /* in the order of the walk; once laid out, by `first` */
    size_t n_tables;
    size_t cap_tables;
    struct ewf_volume volume;
    bool have_volume;
    bool have_header2;
    uint32_t sections;     /* seen so far */
    pthread_mutex_t check; /* held while a table's state is found out */
};

/* ewf_files.c: opens the files after the first, in order; or, with a manifest, checks that none is
   too many. Then reads each file's header and puts swapped ones right. */
int ewf_find_segments(struct image *img, const struct image_source *from, struct err *err);

/* ewf_walk.c: the sections of segment i. */
void ewf_walk_segment(struct image *img, size_t i);

/* ewf_values.c: sections that hold values. `offset` and `n`: the data after the descriptor. */
void ewf_on_volume(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_data(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_hash(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_digest(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_error2(struct image *img, size_t segment, uint64_t offset, uint64_t n);
/* An all-zero hash is one that the writer did not fill in; two that differ are damage. */
void ewf_store_hash(struct image *img, size_t segment, uint64_t offset, const char *name,
                    const uint8_t *p, size_t n);
/* ewf_xml.c */
void ewf_on_xheader(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_xhash(struct image *img, size_t segment, uint64_t offset, uint64_t n);
/* ewf_header.c */
void ewf_on_header(struct image *img, size_t segment, uint64_t offset, uint64_t n);
void ewf_on_header2(struct image *img, size_t segment, uint64_t offset, uint64_t n);

/* The n bytes at offset of the segment, or NULL (a finding says why); the caller frees it. */
uint8_t *ewf_load(struct image *img, size_t segment, uint64_t offset, uint64_t n, uint64_t max);

/* The same of a section that holds a zlib stream: what it inflates to, *n_out bytes. */
uint8_t *ewf_load_inflated(struct image *img, size_t segment, uint64_t offset, uint64_t n,
                           size_t *n_out);

/* A finding of check STRUCTURE that damages no known part of the media. */
void ewf_damage(struct image *img, size_t segment, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void ewf_remark(struct image *img, size_t segment, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ewf_layout.c: media and chunk sizes, then the place of each table. */
int ewf_set_sizes(struct image *img, const struct image_source *from, struct err *err);
void ewf_lay_out(struct image *img, const struct image_source *from);

/* ewf_table.c: the table that locates chunk `index`, or NULL. */
struct ewf_table *ewf_table_of(const struct image *img, uint64_t index);
uint64_t ewf_next_mapped(const struct image *img, uint64_t index);
/* Finds out which copy of the entries is good, once; returns where that copy's entries begin. */
uint64_t ewf_table_entries(struct image *img, struct ewf_table *t);
void ewf_check_tables(struct image *img, const atomic_bool *stop, image_finding_fn *found,
                      void *arg);

/* ewf_chunk.c */
void ewf_read_chunks(struct image *img, struct image_scratch *scratch, uint64_t first, size_t count,
                     void *buf, struct chunk *out);

#endif
