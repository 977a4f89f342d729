#include "acquire/device/device_graph.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"

struct graph *
graph_new(const char *root, bool ask)
{
    struct graph *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->root = root;
    g->ask = ask;
    mounts_read(root, &g->mounts);
    return g;
}

void
graph_free(struct graph *g)
{
    if (!g)
        return;
    mounts_free(&g->mounts);
    free(g);
}

const struct node *
graph_find(const struct graph *g, dev_t number)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->nodes[i].number == number)
            return &g->nodes[i];
    return NULL;
}

void
graph_add(struct graph *g, dev_t number, dev_t below)
{
    if (graph_find(g, number))
        return;
    if (g->n == GRAPH_MAX) {
        g->overflow = true;
        return;
    }
    g->nodes[g->n++] = (struct node){number, below};
}

void
graph_add_links(struct graph *g, const char *dir, const char *links, dev_t below)
{
    char path[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, links) >= sizeof path)
        return;
    d = opendir(path);
    while (d && (e = readdir(d))) {
        char link[PATH_MAX];
        dev_t number;

        if (e->d_name[0] != '.' &&
            (size_t)snprintf(link, sizeof link, "%s/%s", path, e->d_name) < sizeof link &&
            sysfs_number(link, &number))
            graph_add(g, number, below);
    }
}

static bool
links_to(const char *dir, dev_t wanted)
{
    AUTO_DIR DIR *d = opendir(dir);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        char link[PATH_MAX];
        dev_t number;

        if (e->d_name[0] != '.' &&
            (size_t)snprintf(link, sizeof link, "%s/%s", dir, e->d_name) < sizeof link &&
            sysfs_number(link, &number) && number == wanted)
            return true;
    }
    return false;
}

bool
graph_add_btrfs(struct graph *g, dev_t number)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;

    (void)snprintf(top, sizeof top, "%s/sys/fs/btrfs", g->root);
    d = opendir(top);
    while (d && (e = readdir(d))) {
        char fs[PATH_MAX], devices[PATH_MAX];

        if (e->d_name[0] == '.' ||
            (size_t)snprintf(fs, sizeof fs, "%s/%s", top, e->d_name) >= sizeof fs ||
            (size_t)snprintf(devices, sizeof devices, "%s/devices", fs) >= sizeof devices ||
            !links_to(devices, number))
            continue;
        graph_add_links(g, fs, "devices", number);
        return true;
    }
    return false;
}

/* The block device that a mount names as its source ("/dev/sda1"). */
static bool
source_number(const char *root, const char *source, dev_t *out)
{
    char path[PATH_MAX];
    struct stat st;

    if (source[0] != '/' ||
        (size_t)snprintf(path, sizeof path, "%s%s", root, source) >= sizeof path ||
        stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
        return false;
    *out = st.st_rdev;
    return true;
}

bool
graph_mount_number(const char *root, const struct mount *mount, dev_t *out)
{
    if (major(mount->number) != 0) {
        *out = mount->number;
        return true;
    }
    return source_number(root, mount->source, out);
}

/* The mount that a statx() result lies in; by its number where the kernel gives no id. */
static const struct mount *
find_mount(const struct graph *g, const struct statx *stx)
{
    dev_t number = makedev(stx->stx_dev_major, stx->stx_dev_minor);

    if (stx->stx_mask & STATX_MNT_ID)
        for (size_t i = 0; i < g->mounts.n; i++)
            if (g->mounts.list[i].id == stx->stx_mnt_id)
                return &g->mounts.list[i];
    for (size_t i = 0; i < g->mounts.n; i++)
        if (g->mounts.list[i].number == number)
            return &g->mounts.list[i];
    return NULL;
}

#define OVERLAYS_MAX 8

bool
graph_storage(const struct graph *g, const struct statx *stx, dev_t *out)
{
    struct statx current = *stx;

    for (int depth = 0; depth < OVERLAYS_MAX; depth++) {
        const struct mount *mount;
        char path[PATH_MAX];

        if (depth == 0 && S_ISBLK(current.stx_mode)) {
            *out = makedev(current.stx_rdev_major, current.stx_rdev_minor);
            return true;
        }
        if (current.stx_dev_major != 0) {
            *out = makedev(current.stx_dev_major, current.stx_dev_minor);
            return true;
        }
        mount = find_mount(g, &current);
        if (!mount)
            return false;
        if (!mount->upper)
            return graph_mount_number(g->root, mount, out);
        /* What is written to an overlay goes to its upper directory. */
        if ((size_t)snprintf(path, sizeof path, "%s%s", g->root, mount->upper) >= sizeof path ||
            statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_WANTED, &current) < 0)
            return false;
    }
    return false;
}

bool
graph_storage_of_path(const struct graph *g, const char *name, dev_t *out)
{
    char path[PATH_MAX];
    struct statx stx;

    return (size_t)snprintf(path, sizeof path, "%s%s", g->root, name) < sizeof path &&
           statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_WANTED, &stx) == 0 &&
           graph_storage(g, &stx, out);
}

/* --- loop devices --- */

static bool
same_number(const struct statx *a, dev_t dev)
{
    return makedev(a->stx_dev_major, a->stx_dev_minor) == dev;
}

static bool
loop_status(const struct graph *g, const char *dir, struct loop_info64 *out)
{
    char path[PATH_MAX], name[NAME_MAX + 1];
    AUTO_FD int fd = -1;
    struct stat st;
    dev_t number;

    sysfs_kernel_name(dir, name, sizeof name);
    if (!g->ask || !sysfs_number(dir, &number) ||
        (size_t)snprintf(path, sizeof path, "%s/dev/%s", g->root, name) >= sizeof path)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == number &&
           ioctl(fd, LOOP_GET_STATUS64, out) == 0;
}

/* What the driver says, in the shape of a statx() that knows no mount. */
static void
status_to_statx(const struct loop_info64 *info, struct statx *out)
{
    bool device = info->lo_rdevice != 0 && info->lo_rdevice != info->lo_device;

    *out = (struct statx){
        .stx_mask = STATX_TYPE | STATX_INO,
        .stx_mode = device ? S_IFBLK : S_IFREG,
        .stx_ino = info->lo_inode,
        .stx_dev_major = major(info->lo_device),
        .stx_dev_minor = minor(info->lo_device),
        .stx_rdev_major = device ? major(info->lo_rdevice) : 0,
        .stx_rdev_minor = device ? minor(info->lo_rdevice) : 0,
    };
}

enum loop_file
graph_loop_file(const struct graph *g, const char *dir, struct statx *out)
{
    char file[PATH_MAX], path[PATH_MAX];
    struct loop_info64 info;
    bool seen, told;

    if (!sysfs_text(dir, "loop/backing_file", file, sizeof file))
        return LOOP_NONE;
    seen = (size_t)snprintf(path, sizeof path, "%s%s", g->root, file) < sizeof path &&
           statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_WANTED, out) == 0;
    told = loop_status(g, dir, &info);
    /* The path's statx knows the mount as well, which leads through overlays. */
    if (told && !(seen && out->stx_ino == info.lo_inode && same_number(out, info.lo_device)))
        status_to_statx(&info, out);
    return seen || told ? LOOP_KNOWN : LOOP_UNKNOWN;
}

bool
graph_loop_writable(const struct graph *g, const char *dir)
{
    struct loop_info64 info;
    uint64_t read_only = 0;

    if (sysfs_u64(dir, "ro", &read_only) && read_only != 0)
        return false;
    return !loop_status(g, dir, &info) || !(info.lo_flags & LO_FLAGS_READ_ONLY);
}

bool
graph_same_file(const struct statx *a, const struct statx *b)
{
    if (S_ISBLK(a->stx_mode) && S_ISBLK(b->stx_mode))
        return a->stx_rdev_major == b->stx_rdev_major && a->stx_rdev_minor == b->stx_rdev_minor;
    return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor;
}

/* --- downwards --- */

static void
add_next_below(struct graph *g, dev_t number)
{
    char dir[PATH_MAX];
    struct statx file;
    dev_t below;

    if (!sysfs_block_dir(g->root, number, dir))
        return;
    graph_add_links(g, dir, "slaves", number);
    if (graph_loop_file(g, dir, &file) == LOOP_KNOWN && graph_storage(g, &file, &below))
        graph_add(g, below, number);
    (void)graph_add_btrfs(g, number);
    if (sysfs_has(dir, "partition") && sysfs_parent(dir) && sysfs_number(dir, &below))
        graph_add(g, below, number);
}

void
graph_add_below(struct graph *g, dev_t number)
{
    graph_add(g, number, number);
    for (size_t i = 0; i < g->n; i++)
        add_next_below(g, g->nodes[i].number);
}
