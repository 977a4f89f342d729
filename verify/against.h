/*
 * The source that an image is compared with: a block device, held and write-protected by the
 * supervisor like that of an acquisition, which then lends its descriptor; or a regular file,
 * opened here.
 */
#ifndef EXHIBIT_VERIFY_AGAINST_H
#define EXHIBIT_VERIFY_AGAINST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/privilege.h"

struct session;

struct against {
    const char *path;
    int fd;
    uint64_t size;           /* bytes */
    uint32_t sector_size;    /* bytes; differences are told apart by it */
    bool is_device;          /* the rest is only of a device */
    bool solid_state;        /* the kernel does not call it rotational */
    const char *write_block; /* level in force, as the manifest spells it */
    char *serial;            /* number, or "" where the device gives none */
    char *record;            /* of the supervisor, or "" */
    struct session *session;
    uint32_t flag_lost; /* once finished: how often the read-only flag was found cleared */
};

/* Errors: OUTCOME_REFUSED where the device is in use or cannot be protected. `as`: who asked. */
int against_open(const char *path, const struct privilege *as, struct against *out,
                 struct err *err);

/* The comparison is over: the supervisor writes its record, with the hex SHA-256 of the manifest
   ("": none), and lets the device go. The write block stays. */
int against_finish(struct against *a, const char *manifest_sha256, struct err *err);
void against_close(struct against *a);

#endif
