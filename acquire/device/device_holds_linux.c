/*
 * Whether a file lies on a source: downwards from the file system of a path, through slaves and the
 * files behind loop devices, to the source's numbers or to the source's own file.
 */
#include "acquire/device/device.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "acquire/device/device_graph.h"

/* Whether the file's own storage stands on that loop device: then it cannot be what backs it. */
static bool
file_rests_on(const char *root, const struct statx *file, dev_t loop)
{
    struct graph *g = graph_new(root, true);
    dev_t number;
    bool rests = false;

    if (g && graph_storage(g, file, &number)) {
        graph_add_below(g, number);
        rests = graph_find(g, loop) != NULL;
    }
    graph_free(g);
    return rests;
}

/* True if a loop device of the graph is backed by that file, or by one that cannot be told. */
static bool
graph_has_loop_on(const struct graph *g, const struct statx *file)
{
    for (size_t i = 0; i < g->n; i++) {
        char dir[PATH_MAX];
        struct statx behind;
        enum loop_file kind;

        if (!sysfs_block_dir(g->root, g->nodes[i].number, dir))
            continue;
        kind = graph_loop_file(g, dir, &behind);
        if ((kind == LOOP_KNOWN && graph_same_file(&behind, file)) ||
            (kind == LOOP_UNKNOWN && !file_rests_on(g->root, file, g->nodes[i].number)))
            return true;
    }
    return false;
}

/* What cannot be followed to its end counts as lying there: refusing is the safe mistake. */
static bool
rests_on_device(struct graph *g, const struct device *device, dev_t number)
{
    char dir[PATH_MAX];
    struct statx file;

    graph_add_below(g, number);
    if (g->overflow || graph_find(g, device->disk_number) || graph_find(g, device->number))
        return true;
    /* Two loop devices on one file are one disk. */
    return sysfs_block_dir(g->root, device->disk_number, dir) &&
           graph_loop_file(g, dir, &file) == LOOP_KNOWN && graph_has_loop_on(g, &file);
}

static bool
rests_on_file(struct graph *g, const struct statx *file, dev_t number)
{
    graph_add_below(g, number);
    return g->overflow || graph_has_loop_on(g, file);
}

bool
device_holds_number_at(const char *root, const struct device *device, dev_t number)
{
    struct graph *g = graph_new(root, true);
    bool held = !g || rests_on_device(g, device, number);

    graph_free(g);
    return held;
}

bool
device_holds_path(const struct device *device, int path_fd)
{
    struct graph *g = graph_new("", true);
    struct statx stx;
    dev_t number;
    bool held = true;

    if (g && statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_WANTED, &stx) == 0)
        held = graph_storage(g, &stx, &number) && rests_on_device(g, device, number);
    graph_free(g);
    return held;
}

bool
file_holds_number_at(const char *root, int file_fd, dev_t number)
{
    struct graph *g = graph_new(root, true);
    struct statx file;
    bool held = true;

    if (g && statx(file_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_WANTED, &file) == 0)
        held = rests_on_file(g, &file, number);
    graph_free(g);
    return held;
}

bool
file_holds_path(int file_fd, int path_fd)
{
    struct graph *g = graph_new("", true);
    struct statx stx;
    dev_t number;
    bool held = true;

    if (g && statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_WANTED, &stx) == 0)
        held = graph_storage(g, &stx, &number) && file_holds_number_at("", file_fd, number);
    graph_free(g);
    return held;
}
