/*
 * Who uses a disk, and where a file ends up. Both are walks over the same graph: upwards from the
 * disk (partitions, holders, loop devices on it, file systems), downwards from the file system of a
 * path (slaves, the files behind loop devices). A set of device numbers keeps either walk finite.
 */
#include "acquire/device.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "acquire/device_sysfs.h"
#include "common/cleanup.h"

#define GRAPH_MAX 4096

struct node {
    dev_t number;
    dev_t below; /* upwards: what it stands on; the node itself for the disk and its partitions */
};

struct graph {
    const char *root;
    struct mounts mounts;
    struct node nodes[GRAPH_MAX];
    size_t n;
    bool overflow;
};

static struct graph *
graph_new(const char *root)
{
    struct graph *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->root = root;
    mounts_read(root, &g->mounts);
    return g;
}

static void
graph_free(struct graph *g)
{
    if (!g)
        return;
    mounts_free(&g->mounts);
    free(g);
}

static const struct node *
graph_find(const struct graph *g, dev_t number)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->nodes[i].number == number)
            return &g->nodes[i];
    return NULL;
}

static void
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

/* Adds each block device that a directory of links names (holders, slaves, btrfs devices). */
static void
add_links(struct graph *g, const char *dir, const char *links, dev_t below)
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

/* A mounted btrfs shows its members in sysfs and an anonymous number everywhere else. */
static bool
add_btrfs_siblings(struct graph *g, dev_t number)
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
        add_links(g, fs, "devices", number);
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

static bool
mount_number(const char *root, const struct mount *mount, dev_t *out)
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

#define STATX_WANTED (STATX_TYPE | STATX_MNT_ID)
#define OVERLAYS_MAX 8

/* The block device under the file that stx tells of; a device node stands for its device. */
static bool
storage_of(const struct graph *g, const struct statx *stx, dev_t *out)
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
            return mount_number(g->root, mount, out);
        /* What is written to an overlay goes to its upper directory. */
        if ((size_t)snprintf(path, sizeof path, "%s%s", g->root, mount->upper) >= sizeof path ||
            statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_WANTED, &current) < 0)
            return false;
    }
    return false;
}

static bool
storage_of_path(const struct graph *g, const char *name, dev_t *out)
{
    char path[PATH_MAX];
    struct statx stx;

    return (size_t)snprintf(path, sizeof path, "%s%s", g->root, name) < sizeof path &&
           statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_WANTED, &stx) == 0 &&
           storage_of(g, &stx, out);
}

/* --- downwards ---------------------------------------------------------------------------------*/

static void
add_below(struct graph *g, dev_t number)
{
    char dir[PATH_MAX], file[PATH_MAX];
    dev_t below;

    if (!sysfs_block_dir(g->root, number, dir))
        return;
    add_links(g, dir, "slaves", number);
    if (sysfs_text(dir, "loop/backing_file", file, sizeof file) && storage_of_path(g, file, &below))
        graph_add(g, below, number);
    (void)add_btrfs_siblings(g, number);
    if (sysfs_has(dir, "partition") && sysfs_parent(dir) && sysfs_number(dir, &below))
        graph_add(g, below, number);
}

static bool
graph_rests_on(struct graph *g, const struct device *device, dev_t number)
{
    graph_add(g, number, number);
    for (size_t i = 0; i < g->n; i++)
        add_below(g, g->nodes[i].number);
    /* What cannot be followed to its end counts as lying there: refusing is the safe mistake. */
    return g->overflow || graph_find(g, device->disk_number) || graph_find(g, device->number);
}

bool
device_holds_number_at(const char *root, const struct device *device, dev_t number)
{
    struct graph *g = graph_new(root);
    bool held = !g || graph_rests_on(g, device, number);

    graph_free(g);
    return held;
}

bool
device_holds_path(const struct device *device, int path_fd)
{
    struct graph *g = graph_new("");
    struct statx stx;
    dev_t number;
    bool held = true;

    if (g && statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_WANTED, &stx) == 0)
        held = storage_of(g, &stx, &number) && graph_rests_on(g, device, number);
    graph_free(g);
    return held;
}

/* --- upwards -----------------------------------------------------------------------------------*/

static void
add_partitions(struct graph *g, const char *dir, dev_t self, bool of_disk)
{
    AUTO_DIR DIR *d = opendir(dir);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        char part[PATH_MAX];
        dev_t number;

        if (e->d_name[0] != '.' &&
            (size_t)snprintf(part, sizeof part, "%s/%s", dir, e->d_name) < sizeof part &&
            sysfs_has(part, "partition") && sysfs_number(part, &number))
            graph_add(g, number, of_disk ? number : self);
    }
}

/* Loop devices on a device of the graph, or on a file of a file system there: they stand in
   nobody's "holders". True if one was added. */
static bool
add_loops(struct graph *g)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;
    size_t before = g->n;

    (void)snprintf(top, sizeof top, "%s/sys/block", g->root);
    d = opendir(top);
    while (d && (e = readdir(d))) {
        char dir[PATH_MAX], file[PATH_MAX];
        dev_t number, below;

        if (strncmp(e->d_name, "loop", 4) == 0 &&
            (size_t)snprintf(dir, sizeof dir, "%s/%s", top, e->d_name) < sizeof dir &&
            sysfs_text(dir, "loop/backing_file", file, sizeof file) && sysfs_number(dir, &number) &&
            storage_of_path(g, file, &below) && graph_find(g, below))
            graph_add(g, number, below);
    }
    return g->n > before;
}

/* Everything that stands on the disk. True if a mounted btrfs has a member among it. */
static bool
graph_climb(struct graph *g, dev_t disk)
{
    size_t i = 0;
    bool btrfs = false;

    graph_add(g, disk, disk);
    do {
        for (; i < g->n; i++) {
            char dir[PATH_MAX];
            dev_t number = g->nodes[i].number;

            if (!sysfs_block_dir(g->root, number, dir))
                continue;
            add_partitions(g, dir, number, number == disk);
            add_links(g, dir, "holders", number);
            btrfs |= add_btrfs_siblings(g, number);
        }
    } while (add_loops(g));
    return btrfs;
}

/* Where the running system lives. Below some of these an examiner may well mount evidence (/mnt,
   /media, /home/anna/usb), so those count alone; a trailing '/' takes everything below as well. */
static const char *const system_points[] = {
    "/",
    "/boot",
    "/boot/",
    "/efi",
    "/efi/",
    "/usr",
    "/usr/",
    "/etc",
    "/etc/",
    "/var",
    "/var/log",
    "/var/lib",
    "/var/tmp",
    "/var/cache",
    "/var/home",
    "/home",
    "/root",
    "/opt",
    "/srv",
    "/tmp",
    "/nix",
    "/nix/store",
    "/sysroot",
    /* the medium that a live system runs from */
    "/cdrom",
    "/run/live/medium",
    "/lib/live/mount/medium",
    "/run/initramfs/live",
    "/run/archiso/bootmnt",
};

static bool
is_system_point(const char *point)
{
    for (size_t i = 0; i < sizeof system_points / sizeof *system_points; i++) {
        const char *known = system_points[i];
        size_t n = strlen(known);

        if (strcmp(point, known) == 0 ||
            (n > 1 && known[n - 1] == '/' && strncmp(point, known, n) == 0))
            return true;
    }
    return false;
}

static void
name_of(const struct graph *g, dev_t number, char *out, size_t size)
{
    char dir[PATH_MAX];

    if (sysfs_block_dir(g->root, number, dir))
        sysfs_kernel_name(dir, out, size);
    else
        (void)snprintf(out, size, "%u:%u", major(number), minor(number));
}

static enum device_use
use_by_mounts(const struct graph *g, char *why, size_t why_size)
{
    enum device_use use = DEVICE_FREE;

    for (size_t i = 0; i < g->mounts.n && use != DEVICE_SYSTEM; i++) {
        const struct mount *mount = &g->mounts.list[i];
        bool system = is_system_point(mount->point);
        dev_t number;

        if (!mount_number(g->root, mount, &number) || !graph_find(g, number) ||
            (use == DEVICE_BUSY && !system))
            continue;
        use = system ? DEVICE_SYSTEM : DEVICE_BUSY;
        (void)snprintf(why, why_size, "mounted at %s", mount->point);
    }
    return use;
}

/* /proc/swaps has a heading, then lines that start with the file's name, escaped. */
static bool
use_by_swap(const struct graph *g, char *why, size_t why_size)
{
    char path[PATH_MAX], name[DEVICE_TEXT_MAX];
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    size_t room = 0;

    (void)snprintf(path, sizeof path, "%s/proc/swaps", g->root);
    f = fopen(path, "re");
    while (f && getline(&line, &room, f) > 0) {
        dev_t number;

        if (line[0] != '/')
            continue;
        line[strcspn(line, " \t\n")] = '\0';
        mounts_unescape(line);
        if (!storage_of_path(g, line, &number) || !graph_find(g, number))
            continue;
        name_of(g, number, name, sizeof name);
        if (strncmp(line, "/dev/", 5) == 0)
            (void)snprintf(why, why_size, "%s is swap", name);
        else
            (void)snprintf(why, why_size, "swap file %s lies on %s", line, name);
        return true;
    }
    return false;
}

static bool
use_by_holder(const struct graph *g, char *why, size_t why_size)
{
    for (size_t i = 0; i < g->n; i++) {
        char dir[PATH_MAX], name[DEVICE_TEXT_MAX], below[DEVICE_TEXT_MAX];
        char mapped[DEVICE_TEXT_MAX] = "";

        if (g->nodes[i].below == g->nodes[i].number)
            continue;
        name_of(g, g->nodes[i].number, name, sizeof name);
        name_of(g, g->nodes[i].below, below, sizeof below);
        if (sysfs_block_dir(g->root, g->nodes[i].number, dir))
            (void)sysfs_text(dir, "dm/name", mapped, sizeof mapped);
        (void)snprintf(why, why_size, *mapped ? "%s is held by %s (%s)" : "%s is held by %s", below,
                       name, mapped);
        return true;
    }
    return false;
}

static enum device_use
graph_use(struct graph *g, dev_t disk, char *why, size_t why_size)
{
    char other[DEVICE_TEXT_MAX * 2] = "";
    bool btrfs = graph_climb(g, disk);
    enum device_use use = use_by_mounts(g, why, why_size);

    if (use == DEVICE_SYSTEM)
        return use;
    if (use_by_swap(g, other, sizeof other)) {
        (void)snprintf(why, why_size, "%s", other);
        return DEVICE_SYSTEM;
    }
    if (use == DEVICE_BUSY || use_by_holder(g, why, why_size))
        return DEVICE_BUSY;
    if (btrfs || g->overflow) {
        (void)snprintf(why, why_size,
                       btrfs ? "part of a mounted btrfs" : "too many devices stand on it");
        return DEVICE_BUSY;
    }
    return DEVICE_FREE;
}

enum device_use
device_in_use_at(const char *root, const struct device *device, char *why, size_t why_size)
{
    struct graph *g = graph_new(root);
    enum device_use use = DEVICE_BUSY;

    if (why_size)
        why[0] = '\0';
    if (g)
        use = graph_use(g, device->disk_number, why, why_size);
    else
        (void)snprintf(why, why_size, "no memory to find out who uses it");
    graph_free(g);
    return use;
}

enum device_use
device_in_use(const struct device *device, char *why, size_t why_size)
{
    return device_in_use_at("", device, why, why_size);
}
