/*
 * Who has a disk open for writing already: a census of /proc. The flag that the write block sets
 * stops what goes through new descriptors, not what is mapped. The kernel's own threads have
 * neither descriptors nor mappings.
 */
#include "acquire/device/device.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

/* By way of sysfs, since there may be more partitions than struct device holds. */
static bool
is_of_disk(const char *root, const struct device *d, dev_t number)
{
    char dir[PATH_MAX];
    dev_t disk;

    if (number == d->disk_number)
        return true;
    return sysfs_block_dir(root, number, dir) && sysfs_has(dir, "partition") && sysfs_parent(dir) &&
           sysfs_number(dir, &disk) && disk == d->disk_number;
}

struct census {
    const char *root;
    const struct device *device;
    char refused[32]; /* a descriptor of the process that is looked at, which it hides */
};

/* Without asking a server behind the file (NFS, FUSE), which may never answer. */
static bool
leads_to_disk(const struct census *c, const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct statx stx;

    return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path &&
           statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) == 0 &&
           S_ISBLK(stx.stx_mode) &&
           is_of_disk(c->root, c->device, makedev(stx.stx_rdev_major, stx.stx_rdev_minor));
}

/* proc(5): a line "flags:" with the open flags in octal. */
static bool
opened_for_writing(const char *process, const char *fd)
{
    char path[PATH_MAX];
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    size_t room = 0;

    if ((size_t)snprintf(path, sizeof path, "%s/fdinfo/%s", process, fd) >= sizeof path)
        return false;
    f = fopen(path, "re");
    while (f && getline(&line, &room, f) > 0) {
        unsigned long access_mode;

        if (strncmp(line, "flags:", 6) != 0)
            continue;
        access_mode = strtoul(line + 6, NULL, 8) & O_ACCMODE;
        return access_mode == O_WRONLY || access_mode == O_RDWR;
    }
    return false;
}

/* Whether the process lets nobody see where its descriptors lead: then it says so of each. Nothing
   but that can be refused of the link itself. */
static bool
hides(const char *dir, const char *name)
{
    char path[PATH_MAX], target;

    return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path &&
           readlink(path, &target, 1) < 0 && errno == EACCES;
}

static bool
has_open(struct census *c, const char *process, bool writing)
{
    char path[PATH_MAX];
    AUTO_DIR DIR *dir = NULL;
    const struct dirent *e;

    if ((size_t)snprintf(path, sizeof path, "%s/fd", process) >= sizeof path ||
        (*c->refused && hides(path, c->refused)))
        return false;
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        errno = 0;
        if (leads_to_disk(c, path, e->d_name)) {
            if (!writing || opened_for_writing(process, e->d_name))
                return true;
        } else if (errno == EACCES && hides(path, e->d_name)) {
            (void)snprintf(c->refused, sizeof c->refused, "%s", e->d_name);
            break;
        }
    }
    return false;
}

/* Of all who share the table of descriptors with the process's first thread. */
static bool
process_has_open(struct census *c, const char *process, bool writing)
{
    c->refused[0] = '\0';
    return has_open(c, process, writing);
}

/* Whether the thread has a table of descriptors of its own, not its process's (kcmp(2)). */
static bool
has_own_table(const char *pid, const char *tid)
{
    long process = strtol(pid, NULL, 10);
    long thread = strtol(tid, NULL, 10);

    return process != thread &&
           syscall(SYS_kcmp, (pid_t)process, (pid_t)thread, KCMP_FILES, 0UL, 0UL) != 0;
}

static bool
a_thread_has_open(struct census *c, const char *process, const char *pid, bool writing)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *dir = NULL;
    const struct dirent *e;

    if ((size_t)snprintf(top, sizeof top, "%s/task", process) >= sizeof top)
        return false;
    dir = opendir(top);
    while (dir && (e = readdir(dir))) {
        char task[PATH_MAX];

        if (isdigit((unsigned char)e->d_name[0]) && has_own_table(pid, e->d_name) &&
            (size_t)snprintf(task, sizeof task, "%s/%s", top, e->d_name) < sizeof task &&
            has_open(c, task, writing))
            return true;
    }
    return false;
}

/* The modes of the link are those of the descriptor that was mapped: with it a mapping that is
   only read now can be made writable at any time. */
static bool
mapped_for_writing(const char *dir, const char *name, bool writable)
{
    char path[PATH_MAX];
    struct stat st;

    return writable || ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path &&
                        lstat(path, &st) == 0 && (st.st_mode & S_IWUSR));
}

/* proc(5): address-address perms offset dev inode path, perms being "rw-s" for shared ones. Its
   "dev" is that of the node's file system, so the link beside it is followed. */
static bool
has_mapped(const struct census *c, const char *process)
{
    char maps[PATH_MAX], links[PATH_MAX];
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    size_t room = 0;

    if ((size_t)snprintf(maps, sizeof maps, "%s/maps", process) >= sizeof maps ||
        (size_t)snprintf(links, sizeof links, "%s/map_files", process) >= sizeof links)
        return false;
    f = fopen(maps, "re");
    while (f && getline(&line, &room, f) > 0) {
        size_t n = strcspn(line, " ");
        const char *perms = line + n + 1;

        if (!line[n] || strnlen(perms, 4) < 4 || perms[3] != 's')
            continue;
        line[n] = '\0';
        if (leads_to_disk(c, links, line) && mapped_for_writing(links, line, perms[1] == 'w'))
            return true;
    }
    return false;
}

static void
say(const char *process, const char *pid, const char *what, char *why, size_t why_size)
{
    char name[64];
    AUTO_FREE char *safe = NULL;

    (void)sysfs_text(process, "comm", name, sizeof name);
    safe = text_printable(name);
    (void)snprintf(why, why_size, "process %s (%s) %s", pid, safe, what);
}

bool
device_has_writer_at(const char *root, const struct device *device, char *why, size_t why_size)
{
    struct census c = {.root = root, .device = device};
    char top[PATH_MAX], own[32];
    AUTO_DIR DIR *dir = NULL;
    const struct dirent *e;

    (void)snprintf(top, sizeof top, "%s/proc", root);
    (void)snprintf(own, sizeof own, "%ld", (long)getpid());
    dir = opendir(top);
    while (dir && (e = readdir(dir))) {
        char process[PATH_MAX];
        const char *what = NULL;

        if (!isdigit((unsigned char)e->d_name[0]) || strcmp(e->d_name, own) == 0 ||
            (size_t)snprintf(process, sizeof process, "%s/%s", top, e->d_name) >= sizeof process)
            continue;
        if (process_has_open(&c, process, true) || a_thread_has_open(&c, process, e->d_name, true))
            what = "has it open for writing";
        else if (has_mapped(&c, process))
            what = "has it mapped for writing";
        if (!what)
            continue;
        say(process, e->d_name, what, why, why_size);
        return true;
    }
    return false;
}

bool
device_has_writer(const struct device *device, char *why, size_t why_size)
{
    return device_has_writer_at("", device, why, why_size);
}

bool
device_has_worker_at(const char *root, const struct device *device, char *why, size_t why_size)
{
    struct census c = {.root = root, .device = device};
    char top[PATH_MAX];
    AUTO_DIR DIR *dir = NULL;
    const struct dirent *e;

    (void)snprintf(top, sizeof top, "%s/proc", root);
    dir = opendir(top);
    while (dir && (e = readdir(dir))) {
        char process[PATH_MAX], name[64];

        if (isdigit((unsigned char)e->d_name[0]) &&
            (size_t)snprintf(process, sizeof process, "%s/%s", top, e->d_name) < sizeof process &&
            sysfs_text(process, "comm", name, sizeof name) && strcmp(name, "exhibit-worker") == 0 &&
            /* A thread that waits in the kernel outlives its process's first one. */
            (process_has_open(&c, process, false) ||
             a_thread_has_open(&c, process, e->d_name, false))) {
            (void)snprintf(why, why_size, "process %s (%s)", e->d_name, name);
            return true;
        }
    }
    return false;
}

bool
device_has_worker(const struct device *device, char *why, size_t why_size)
{
    return device_has_worker_at("", device, why, why_size);
}
