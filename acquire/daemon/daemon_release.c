#include "acquire/daemon/daemon_release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "acquire/device/device.h"
#include "acquire/device/device_sysfs.h"
#include "acquire/supervisor/record.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/size.h"
#include "common/text.h"

#define RECORD_MAX (1024 * 1024)

/* A record's name is "OPENED-DEVICE-PID.json": when it was opened, if it is of the disk or of one
   of its partitions; else -1. */
static int64_t
opened_of(const char *name, const struct device *disk)
{
    const char *dash = strchr(name, '-');
    AUTO_FREE char *digits = dash ? xstrndup(name, (size_t)(dash - name)) : NULL;
    char rest[NAME_MAX + 1];
    struct err ignored = ERR_INIT;
    uint64_t opened;

    sysfs_kernel_name(dash ? dash + 1 : "", rest, sizeof rest);
    if (!dash || strncmp(rest, disk->disk_name, strlen(disk->disk_name)) != 0 ||
        number_parse(digits, 0, INT64_MAX, "time", &opened, &ignored) != 0)
        return -1;
    return (int64_t)opened;
}

static bool
is_of(const json_t *record, const struct device *disk)
{
    AUTO_FREE char *name = json_get_bytes(record, "name");
    struct err ignored = ERR_INIT;
    uint64_t diskseq = 0;
    bool part = false;

    for (size_t i = 0; name && i < disk->n_partitions; i++)
        part = part || strcmp(name, disk->partitions[i].name) == 0;
    return name && (part || strcmp(name, disk->disk_name) == 0) &&
           json_get_u64(record, "diskseq", &diskseq, &ignored) == 0 && diskseq == disk->diskseq;
}

/* The newest record of the disk as it is attached now: for whom it was, or -1. */
static int64_t
last_user(const char *path, const struct device *disk)
{
    AUTO_DIR DIR *dir = opendir(path);
    const struct dirent *e;
    int64_t newest = -1;
    int64_t user = -1;

    while (dir && (e = readdir(dir)) != NULL) {
        int64_t opened = opened_of(e->d_name, disk);
        struct err ignored = ERR_INIT;
        AUTO_FREE char *text = NULL;
        json_t *v;
        uint64_t uid;
        size_t n;

        if (opened < 0 || opened < newest)
            continue;
        text = infile_read(dirfd(dir), e->d_name, RECORD_MAX, &n, &ignored);
        v = text ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (v && is_of(v, disk) && json_get_u64(v, "uid", &uid, &ignored) == 0) {
            newest = opened;
            user = (int64_t)uid;
        }
        json_decref(v);
    }
    return user;
}

char *
daemon_release_node_at(const char *records, dev_t device, uid_t uid, uint64_t *diskseq,
                       struct err *err)
{
    AUTO_FREE struct device *d = xcalloc(1, sizeof *d);

    if (device_read(device, d, err) != 0)
        return NULL;
    *diskseq = d->diskseq;
    if (uid == 0 || last_user(records, d) == (int64_t)uid)
        return xasprintf("/dev/%s", d->name);
    (void)err_set(err, OUTCOME_REFUSED,
                  "cannot release '/dev/%s': the last job on it was not yours", d->name);
    return NULL;
}

char *
daemon_release_node(dev_t device, uid_t uid, uint64_t *diskseq, struct err *err)
{
    return daemon_release_node_at(RECORD_DIR, device, uid, diskseq, err);
}
