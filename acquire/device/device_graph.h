/*
 * The graph of what stands on what, as sysfs tells it: partitions, holders and slaves, members of a
 * btrfs, loop devices and the files behind them. Below device.h only; device_holds_linux.c walks it
 * downwards, device_use_linux.c upwards. A set of device numbers keeps either walk finite.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICE_GRAPH_H
#define EXHIBIT_ACQUIRE_DEVICE_GRAPH_H

#include <limits.h>
#include <sys/stat.h>

#include "acquire/device/device_sysfs.h"

#define GRAPH_MAX 4096
#define STATX_WANTED (STATX_TYPE | STATX_INO | STATX_MNT_ID)

struct node {
    dev_t number;
    dev_t below; /* upwards: what it stands on; the node itself for the disk, its partitions, and
                    what shares its backing file */
};

struct graph {
    const char *root;
    struct mounts mounts;
    struct node nodes[GRAPH_MAX];
    size_t n;
    bool ask;      /* may open the nodes of loop devices to ask the driver */
    bool overflow; /* there is more than fits */
};

/* NULL without memory. */
struct graph *graph_new(const char *root, bool ask);
void graph_free(struct graph *g);

const struct node *graph_find(const struct graph *g, dev_t number);
void graph_add(struct graph *g, dev_t number, dev_t below);
/* Adds each block device that a directory of links names (holders, slaves, btrfs devices). */
void graph_add_links(struct graph *g, const char *dir, const char *links, dev_t below);
/* A mounted btrfs shows its members in sysfs and an anonymous number everywhere else. False if the
   device is no member of one. */
bool graph_add_btrfs(struct graph *g, dev_t number);
/* Adds all that `number` rests on, down to its end, and itself. */
void graph_add_below(struct graph *g, dev_t number);

bool graph_mount_number(const char *root, const struct mount *mount, dev_t *out);
/* The block device under the file that stx tells of; a device node stands for its device. */
bool graph_storage(const struct graph *g, const struct statx *stx, dev_t *out);
bool graph_storage_of_path(const struct graph *g, const char *name, dev_t *out);

enum loop_file {
    LOOP_NONE,    /* not a loop device, or nothing attached */
    LOOP_UNKNOWN, /* attached to a file that cannot be told: deleted, or out of sight */
    LOOP_KNOWN,
};

/* The file or device behind the loop device with that directory in sysfs: as the driver says where
   its node may be opened, since the path that sysfs gives may lead elsewhere by now. */
enum loop_file graph_loop_file(const struct graph *g, const char *dir, struct statx *out);
/* True if the loop device can be opened for writing and would then write to its file: attached for
   writing, and without the read-only flag in the kernel. */
bool graph_loop_writable(const struct graph *g, const char *dir);
/* True if both tell of one file, or of one block device. */
bool graph_same_file(const struct statx *a, const struct statx *b);

#endif
