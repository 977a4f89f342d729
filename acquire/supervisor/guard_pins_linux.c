/*
 * What is pinned of the guard: the directory, its lock, the maps and the links to the programs.
 */
#include "acquire/supervisor/guard_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common/cleanup.h"

/* --- the place and its lock --- */

static int
mount_pins(struct err *err)
{
    struct statfs fs;

    if (statfs(GUARD_BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
        return 0;
    if (mount("bpf", GUARD_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
        return err_errno(err, "cannot mount the bpf file system at '%s'", GUARD_BPFFS);
    return 0;
}

static int
make_pins(struct err *err)
{
    if (mount_pins(err) != 0)
        return -1;
    if (mkdir(GUARD_PINS, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "cannot make '%s'", GUARD_PINS);
    return 0;
}

static bool
is_still_there(int dir)
{
    struct stat ours, there;

    return fstat(dir, &ours) == 0 && stat(GUARD_PINS, &there) == 0 && ours.st_ino == there.st_ino;
}

/* Whoever has the lock may remove the directory: between making and opening it, or while this one
   waits. Then it is made and opened once more. */
int
guard_lock(struct guard *g, bool make, struct err *err)
{
    for (;;) {
        if (make && make_pins(err) != 0)
            return -1;
        g->lock = open(GUARD_PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (g->lock < 0 && errno != ENOENT)
            return err_errno(err, "cannot open '%s'", GUARD_PINS);
        if (g->lock < 0 && !make)
            return 0;
        if (g->lock >= 0 && flock(g->lock, LOCK_EX) != 0)
            return err_errno(err, "cannot lock '%s'", GUARD_PINS);
        if (g->lock >= 0 && is_still_there(g->lock))
            return 1;
        guard_unlock(g);
    }
}

void
guard_unlock(struct guard *g)
{
    if (g->lock >= 0)
        (void)close(g->lock);
    g->lock = -1;
}

/* --- names --- */

void
guard_pin_path(char path[PATH_MAX], const char *kind, const char *name)
{
    (void)snprintf(path, PATH_MAX, "%s/%s%s", GUARD_PINS, kind, name);
}

bool
guard_is_pinned(const char *program)
{
    char path[PATH_MAX];

    guard_pin_path(path, GUARD_LINK, program);
    return access(path, F_OK) == 0;
}

static bool
unpin_some(int dir, const char *prefix)
{
    AUTO_DIR DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *e;
    bool some = false;

    while (d && (e = readdir(d))) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && unlinkat(dir, e->d_name, 0) == 0)
            some = true;
    }
    return some;
}

/* Until none is left: a directory that changes may be read with gaps. */
static void
unpin(int dir, const char *prefix)
{
    while (unpin_some(dir, prefix))
        continue;
}

/* The programs before the maps that they look into. */
void
guard_unload(struct guard *g)
{
    unpin(g->lock, GUARD_LINK);
    unpin(g->lock, GUARD_PREFIX);
    (void)rmdir(GUARD_PINS);
}

/* --- the maps --- */

int
guard_open_map(const char *name)
{
    char path[PATH_MAX];

    guard_pin_path(path, "", name);
    return bpf_obj_get(path);
}

int
guard_open_maps(struct guard_maps *m, struct err *err)
{
    const struct {
        const char *name;
        int *fd;
    } wanted[] = {
        {"exhibit_disks", &m->disks},     {"exhibit_nodes", &m->nodes},
        {"exhibit_parents", &m->parents}, {"exhibit_known", &m->known},
        {"exhibit_events", &m->events},   {"exhibit_read", &m->read},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].fd = guard_open_map(wanted[i].name);
        if (*wanted[i].fd < 0)
            return err_errno(err, "cannot open the guard's '%s'", wanted[i].name);
    }
    return 0;
}

int
guard_read_config(const struct guard *g, struct guard_config *config)
{
    uint32_t zero = 0;

    return bpf_map_lookup_elem(g->maps.config, &zero, config);
}

int
guard_write_config(const struct guard *g, const struct guard_config *config, struct err *err)
{
    uint32_t zero = 0;

    if (bpf_map_update_elem(g->maps.config, &zero, config, BPF_ANY) != 0)
        return err_errno(err, "cannot configure the guard");
    return 0;
}

/* A supervisor that died while it loaded the guard has left maps that nothing looks into. */
static int
clear_unfinished(struct guard *g)
{
    (void)close(g->maps.config);
    g->maps.config = -1;
    unpin(g->lock, GUARD_PREFIX);
    return 0;
}

int
guard_open_config(struct guard *g, struct err *err)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof info;
    struct guard_config config;

    g->maps.config = guard_open_map("exhibit_config");
    if (g->maps.config < 0 && errno == ENOENT)
        return 0;
    if (g->maps.config < 0 && errno == EPERM)
        return err_set(err, OUTCOME_REFUSED,
                       "the guard in the kernel was loaded by another build of Exhibit, and takes "
                       "orders from that one's supervisor only");
    if (g->maps.config < 0 || bpf_obj_get_info_by_fd(g->maps.config, &info, &size) != 0)
        return err_errno(err, "cannot open the guard in the kernel");
    if (info.value_size == sizeof config && guard_read_config(g, &config) == 0 && config.abi == 0)
        return clear_unfinished(g);
    if (info.value_size != sizeof config || guard_read_config(g, &config) != 0 ||
        config.abi != GUARD_ABI) {
        (void)err_set(err, OUTCOME_REFUSED,
                      "the guard in the kernel is another version's; 'exhibit release' takes it "
                      "away if it protects one disk alone, else release its disks with that "
                      "version, or restart the machine");
        return GUARD_OTHER;
    }
    return 1;
}

bool
guard_is_of_one_disk(const struct guard_node *disk)
{
    AUTO_FD int nodes = guard_open_map("exhibit_nodes");
    struct bpf_map_info info = {0};
    uint32_t size = sizeof info;
    struct guard_node keys[2];
    const void *from = NULL;
    uint32_t index, of;

    if (nodes < 0 || bpf_obj_get_info_by_fd(nodes, &info, &size) != 0 ||
        info.key_size != sizeof *disk || info.value_size != sizeof index ||
        bpf_map_lookup_elem(nodes, disk, &index) != 0)
        return false;
    for (int i = 0; bpf_map_get_next_key(nodes, from, &keys[i]) == 0; i ^= 1) {
        from = &keys[i];
        if (bpf_map_lookup_elem(nodes, &keys[i], &of) == 0 && of != index)
            return false;
    }
    return true;
}

int
guard_reopen(struct guard *g, struct err *err)
{
    int r = guard_open_config(g, err);

    return r == 1 && guard_open_maps(&g->maps, err) != 0 ? -1 : r;
}
