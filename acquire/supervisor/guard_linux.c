#include "acquire/supervisor/guard_impl.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

#define TWINS_DEPTH 5
#define GUARD_AWAY_S UINT64_C(600)

/* --- the maps --- */

static int
read_disk(const struct guard *g, uint32_t disk, struct guard_disk *out)
{
    return bpf_map_lookup_elem(g->maps.disks, &disk, out);
}

static int
write_disk(const struct guard *g, uint32_t disk, const struct guard_disk *in)
{
    return bpf_map_update_elem(g->maps.disks, &disk, in, BPF_ANY);
}

/* How many there are; the programs look no further where there is none. */
static uint32_t
count_disks(const struct guard *g)
{
    struct guard_config config;
    struct guard_disk d;
    uint32_t zero = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < GUARD_DISKS_MAX; i++)
        n += read_disk(g, i, &d) == 0 && d.used;
    if (bpf_map_lookup_elem(g->maps.config, &zero, &config) == 0) {
        config.disks = n;
        (void)bpf_map_update_elem(g->maps.config, &zero, &config, BPF_ANY);
    }
    return n;
}

/* Whether the map has something of the disk; if asked to, removes it all. Keys are at most as large
   as an identity. */
static bool
has_any(int map, uint32_t disk, bool remove)
{
    struct guard_identity keys[2];
    const void *from = NULL;
    bool has = false;
    uint32_t of;

    for (int i = 0; bpf_map_get_next_key(map, from, &keys[i]) == 0; i ^= 1) {
        from = &keys[i];
        if (bpf_map_lookup_elem(map, &keys[i], &of) != 0 || of != disk)
            continue;
        has = true;
        if (!remove || bpf_map_delete_elem(map, &keys[i]) != 0)
            break;
        from = NULL; /* a key that is gone leads nowhere: from the beginning again */
    }
    return has;
}

static void
forget(const struct guard *g, uint32_t disk)
{
    struct guard_disk none = {0};
    uint64_t nothing = 0;

    (void)bpf_map_update_elem(g->maps.read, &disk, &nothing, BPF_ANY);
    (void)has_any(g->maps.known, disk, true);
    (void)has_any(g->maps.parents, disk, true);
    (void)has_any(g->maps.nodes, disk, true);
    (void)write_disk(g, disk, &none);
}

/* An unused place, or that of a disk that has left. */
static int
find_place(const struct guard *g, uint32_t *place, struct err *err)
{
    struct guard_disk d;

    for (*place = 0; *place < GUARD_DISKS_MAX; ++*place) {
        if (read_disk(g, *place, &d) == 0 && !d.used)
            return 0;
    }
    for (*place = 0; *place < GUARD_DISKS_MAX; ++*place) {
        if (!has_any(g->maps.nodes, *place, false)) {
            forget(g, *place);
            return 0;
        }
    }
    return err_set(err, OUTCOME_REFUSED, "the guard protects %d disks already; release some",
                   GUARD_DISKS_MAX);
}

/* A disk that enumerates anew is away for seconds. */
static bool
is_away_for_good(const struct guard_disk *d)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return d->left_ns != 0 &&
           (uint64_t)now.tv_sec * 1000000000 > d->left_ns + GUARD_AWAY_S * 1000000000;
}

/* What has left and has come back as a disk of another index, or will never be known again, or has
   been away for long. */
static void
drop_the_unknown(const struct guard *g)
{
    struct guard_disk d;

    for (uint32_t i = 0; i < GUARD_DISKS_MAX; i++) {
        if (read_disk(g, i, &d) == 0 && d.used && !has_any(g->maps.nodes, i, false) &&
            (is_away_for_good(&d) || !has_any(g->maps.known, i, false)))
            forget(g, i);
    }
}

/* With the lock held. */
static void
tidy_up(struct guard *g)
{
    drop_the_unknown(g);
    if (count_disks(g) == 0)
        guard_unload(g);
}

/* --- the disk's nodes --- */

static int
add_node(const struct guard *g, uint32_t kind, dev_t number, uint32_t disk, struct err *err)
{
    struct guard_node node = {kind, device_kernel_number(number)};

    if (bpf_map_update_elem(g->maps.nodes, &node, &disk, BPF_ANY) != 0)
        return err_errno(err, "cannot protect a further device");
    return 0;
}

/* A directory of sysfs that is a device: its "subsystem" says of which kind. */
static int
add_device(const struct guard *g, const char *dir, uint32_t disk, struct err *err)
{
    char link[PATH_MAX], target[PATH_MAX];
    const char *name;
    dev_t number;
    ssize_t n;

    if (!sysfs_number(dir, &number) || number == 0)
        return 0;
    if ((size_t)snprintf(link, sizeof link, "%s/subsystem", dir) >= sizeof link)
        return 0;
    n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = '\0';
    name = strrchr(target, '/');
    return add_node(g, name && strcmp(name, "/block") == 0 ? GUARD_BLOCK : GUARD_CHAR, number, disk,
                    err);
}

/* A subsystem of NVMe has its controllers beside it: links. */
static bool
leads_on(const struct dirent *e)
{
    return e->d_name[0] != '.' &&
           (e->d_type == DT_DIR || (e->d_type == DT_LNK && strncmp(e->d_name, "nvme", 4) == 0));
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by depth */
static int
add_below(const struct guard *g, const char *dir, uint32_t disk, int depth, struct err *err)
{
    AUTO_DIR DIR *d = opendir(dir);
    const struct dirent *e;

    if (add_device(g, dir, disk, err) != 0)
        return -1;
    while (d && depth > 0 && (e = readdir(d))) {
        AUTO_FREE char *sub = leads_on(e) ? xasprintf("%s/%s", dir, e->d_name) : NULL;

        if (sub && add_below(g, sub, disk, depth - 1, err) != 0)
            return -1;
    }
    return 0;
}

/* Those that there are; of those that appear from now on the programs know. */
static int
add_nodes(const struct guard *g, const struct device *device, uint32_t disk, struct err *err)
{
    char dir[PATH_MAX];
    AUTO_FREE char *above = NULL;
    char real[PATH_MAX];

    if (!sysfs_block_dir("", device->disk_number, dir))
        return err_set(err, OUTCOME_FAILED, "the disk '/dev/%s' has gone", device->disk_name);
    above = xasprintf("%s/device", dir);
    if (add_below(g, dir, disk, TWINS_DEPTH, err) != 0)
        return -1;
    return realpath(above, real) ? add_below(g, real, disk, TWINS_DEPTH, err) : 0;
}

/* --- the interface --- */

static struct guard *
new_guard(void)
{
    struct guard *g = xcalloc(1, sizeof *g);

    g->lock = -1;
    g->maps = (struct guard_maps){-1, -1, -1, -1, -1, -1, -1};
    return g;
}

static void
free_guard(struct guard *g)
{
    const int fds[] = {g->maps.config, g->maps.disks,  g->maps.nodes, g->maps.parents,
                       g->maps.known,  g->maps.events, g->maps.read};

    guard_unlock(g);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    free(g);
}

struct guard *
guard_open(struct err *err)
{
    struct guard *g = new_guard();

    if (guard_check(err) == 0 && guard_lock(g, true, err) == 1 && guard_load(g, err) == 0) {
        guard_unlock(g);
        return g;
    }
    err->outcome = OUTCOME_REFUSED;
    free_guard(g);
    return NULL;
}

void
guard_close(struct guard *g)
{
    struct err ignored = ERR_INIT;

    if (!g)
        return;
    if (guard_lock(g, false, &ignored) == 1)
        tidy_up(g);
    free_guard(g);
}

/* With the lock held. Named first, so that a partition that appears now is known by its parent. */
static int
protect(struct guard *g, const struct device *device, int fd, bool new_disk, struct err *err)
{
    struct guard_disk d = {.used = 1};

    if (new_disk && write_disk(g, g->disk, &d) != 0)
        return err_errno(err, "cannot protect '/dev/%s'", device->disk_name);
    (void)count_disks(g);
    if (ioctl(fd, GUARD_ENROL, (unsigned long)g->disk) == 0 || errno != ECANCELED)
        return err_set(err, OUTCOME_REFUSED, "the guard does not answer for '/dev/%s'",
                       device->disk_name);
    if (add_nodes(g, device, g->disk, err) != 0)
        return -1;
    drop_the_unknown(g);
    (void)count_disks(g);
    return guard_holds(g) ? 0
                          : err_set(err, OUTCOME_REFUSED, "the guard has lost '/dev/%s' again",
                                    device->disk_name);
}

int
guard_protect(struct guard *g, const struct device *device, int fd, bool *before, struct err *err)
{
    int r;

    if (guard_lock(g, false, err) != 1)
        return err_set(err, OUTCOME_REFUSED, "the guard has been taken out of the kernel");
    g->node = (struct guard_node){GUARD_BLOCK, device_kernel_number(device->disk_number)};
    *before = bpf_map_lookup_elem(g->maps.nodes, &g->node, &g->disk) == 0;
    r = *before || find_place(g, &g->disk, err) == 0 ? protect(g, device, fd, !*before, err) : -1;
    if (r != 0 && !*before) {
        forget(g, g->disk);
        (void)count_disks(g);
    }
    guard_unlock(g);
    /* Attempts that nobody has read yet, after a supervisor was killed, are this one's to tell. */
    if (r == 0 && bpf_map_lookup_elem(g->maps.read, &g->disk, &g->first) == 0)
        g->handed_out = g->first;
    return r;
}

bool
guard_holds(const struct guard *g)
{
    uint32_t disk;

    return bpf_map_lookup_elem(g->maps.nodes, &g->node, &disk) == 0 && disk == g->disk;
}

static bool
read_event(const struct guard *g, uint64_t before, struct guard_event *out)
{
    uint32_t slot = g->disk * GUARD_EVENTS_KEPT + (uint32_t)(before % GUARD_EVENTS_KEPT);
    struct guard_record r;

    if (bpf_map_lookup_elem(g->maps.events, &slot, &r) != 0 || r.number != before + 1)
        return false;
    *out = (struct guard_event){
        .boot_ns = r.boot_ns,
        .pid = r.pid,
        .uid = r.uid,
        .what = (enum guard_attempt)r.what,
        .detail = r.detail,
        .character = r.kind == GUARD_CHAR,
        .device = device_number_of_kernel(r.device),
    };
    memcpy(out->comm, r.comm, sizeof out->comm - 1);
    return true;
}

size_t
guard_events(struct guard *g, struct guard_event *out, size_t max, uint64_t *refused)
{
    struct guard_disk d = {0};
    size_t n = 0;

    if (read_disk(g, g->disk, &d) != 0 || d.refused < g->first) {
        *refused = g->handed_out - g->first;
        return 0;
    }
    *refused = d.refused - g->first;
    if (d.refused - g->handed_out > GUARD_EVENTS_KEPT)
        g->handed_out = d.refused - GUARD_EVENTS_KEPT;
    while (n < max && g->handed_out < d.refused)
        n += read_event(g, g->handed_out++, &out[n]);
    (void)bpf_map_update_elem(g->maps.read, &g->disk, &g->handed_out, BPF_ANY);
    return n;
}

/* With the lock held. */
static int
release(struct guard *g, const struct device *device, struct err *err)
{
    struct guard_node node = {GUARD_BLOCK, device_kernel_number(device->disk_number)};
    int there = guard_reopen(g, err);
    uint32_t disk;

    if (there <= 0)
        return there;
    if (there == GUARD_OTHER) {
        if (!guard_is_of_one_disk(&node))
            return -1;
        guard_unload(g);
        return 0;
    }
    if (bpf_map_lookup_elem(g->maps.nodes, &node, &disk) == 0)
        forget(g, disk);
    tidy_up(g);
    return 0;
}

int
guard_release(const struct device *device, struct err *err)
{
    struct guard *g = new_guard();
    int r = guard_lock(g, false, err);

    if (r == 1)
        r = release(g, device, err);
    free_guard(g);
    return r;
}
