/*
 * A source with scripted faults. The script is the text of a GNU ddrescue mapfile (the one fault
 * language of all tests), in which a block's status says how its sectors behave:
 *
 *   +  readable
 *   -  unreadable: every read that touches one fails
 *   *  recovers: fails the first `fail_times` times that it is reached, then is readable
 *   /  slow: each read that touches one takes `stall_ms`
 *   ?  unsteady: readable, but with other bytes each time
 */
#ifndef EXHIBIT_TESTS_FAULT_SOURCE_H
#define EXHIBIT_TESTS_FAULT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/worker/source.h"

struct fault_spec {
    const uint8_t *data; /* what the medium holds; NULL: zeros. Outlives the source */
    uint64_t size;       /* bytes of the medium */
    uint32_t sector_size;
    const char *map;     /* mapfile text, or NULL: all is readable */
    unsigned fail_times; /* for '*' */
    unsigned stall_ms;   /* for '/' */
    int error;           /* errno of a failing read; 0: EIO */
    bool partial;        /* a read that meets a bad sector returns what lies before it */
    uint64_t read_max;   /* bytes that one read returns at most; 0: no limit */
    uint64_t vanish_at;  /* reads that reach this byte find no device (ENODEV); 0: never */
    uint64_t end_at;     /* the medium turns out to end here; 0: it does not */
    bool strict;         /* unaligned reads fail with EINVAL, as direct I/O does */
};

struct source *fault_source_new(const struct fault_spec *spec);

/* How many reads were made, and how many of them were of this one sector alone. */
uint64_t fault_source_reads(const struct source *s);
unsigned fault_source_single_reads(const struct source *s, uint64_t sector);

#endif
