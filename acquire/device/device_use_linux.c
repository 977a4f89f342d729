/*
 * Who uses a disk: upwards from it, to partitions, holders, loop devices, and the file systems and
 * swap on any of them.
 */
#include "acquire/device/device.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "acquire/device/device_graph.h"
#include "common/cleanup.h"

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

/* Whether a loop device of the graph has that file as well: the two are one disk. */
static bool
shares_file(const struct graph *g, const struct statx *file)
{
    for (size_t i = 0; i < g->n; i++) {
        char dir[PATH_MAX];
        struct statx behind;

        if (sysfs_block_dir(g->root, g->nodes[i].number, dir) &&
            graph_loop_file(g, dir, &behind) == LOOP_KNOWN && graph_same_file(&behind, file))
            return true;
    }
    return false;
}

static void
add_loop(struct graph *g, const char *dir)
{
    struct statx file;
    dev_t number, below;

    if (!sysfs_number(dir, &number) || graph_find(g, number) ||
        graph_loop_file(g, dir, &file) != LOOP_KNOWN)
        return;
    if (shares_file(g, &file))
        graph_add(g, number, number);
    else if (graph_storage(g, &file, &below) && graph_find(g, below))
        graph_add(g, number, below);
}

/* Loop devices on a device of the graph, on a file of a file system there, or on the same file:
   they stand in nobody's "holders". True if one was added. */
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
        char dir[PATH_MAX];

        if (strncmp(e->d_name, "loop", 4) == 0 &&
            (size_t)snprintf(dir, sizeof dir, "%s/%s", top, e->d_name) < sizeof dir)
            add_loop(g, dir);
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
            add_partitions(g, dir, number, g->nodes[i].below == number);
            graph_add_links(g, dir, "holders", number);
            btrfs |= graph_add_btrfs(g, number);
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

        if (!graph_mount_number(g->root, mount, &number) || !graph_find(g, number) ||
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
        if (!graph_storage_of_path(g, line, &number) || !graph_find(g, number))
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

static enum device_use
find_use(const char *root, bool ask, const struct device *device, char *why, size_t why_size)
{
    struct graph *g = graph_new(root, ask);
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
device_in_use_at(const char *root, const struct device *device, char *why, size_t why_size)
{
    return find_use(root, false, device, why, why_size);
}

enum device_use
device_in_use(const struct device *device, char *why, size_t why_size)
{
    return find_use("", false, device, why, why_size);
}

enum device_use
device_in_use_closely(const struct device *device, char *why, size_t why_size)
{
    return find_use("", true, device, why, why_size);
}

/* --- files --- */

/* The file's loop device with that directory: free only if it cannot write and nobody uses it. */
static enum device_use
loop_use(const struct graph *g, const char *dir)
{
    char why[DEVICE_TEXT_MAX * 4];
    struct device *loop;
    struct err ignored = ERR_INIT;
    enum device_use use = DEVICE_BUSY;
    dev_t number;

    if (graph_loop_writable(g, dir) || !sysfs_number(dir, &number) ||
        !(loop = calloc(1, sizeof *loop)))
        return use;
    if (device_read_at(g->root, number, loop, &ignored) == 0)
        use = find_use(g->root, g->ask, loop, why, sizeof why);
    free(loop);
    return use;
}

static enum device_use
file_use(const struct graph *g, const struct statx *file, char *why, size_t why_size)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;

    (void)snprintf(top, sizeof top, "%s/sys/block", g->root);
    d = opendir(top);
    while (d && (e = readdir(d))) {
        char dir[PATH_MAX];
        struct statx behind;
        enum device_use use;

        if (strncmp(e->d_name, "loop", 4) != 0 ||
            (size_t)snprintf(dir, sizeof dir, "%s/%s", top, e->d_name) >= sizeof dir ||
            graph_loop_file(g, dir, &behind) != LOOP_KNOWN || !graph_same_file(&behind, file) ||
            (use = loop_use(g, dir)) == DEVICE_FREE)
            continue;
        (void)snprintf(why, why_size, "attached as /dev/%s", e->d_name);
        return use;
    }
    return DEVICE_FREE;
}

enum device_use
file_in_use_at(const char *root, int file_fd, char *why, size_t why_size)
{
    struct graph *g = graph_new(root, true);
    struct statx file;
    enum device_use use = DEVICE_BUSY;

    (void)snprintf(why, why_size, "cannot find out who uses it");
    if (g && statx(file_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_WANTED, &file) == 0) {
        why[0] = '\0';
        use = file_use(g, &file, why, why_size);
    }
    graph_free(g);
    return use;
}

enum device_use
file_in_use(int file_fd, char *why, size_t why_size)
{
    return file_in_use_at("", file_fd, why, why_size);
}
