#include "verify/against.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/session.h"
#include "common/text.h"

/* The queue is the disk's: for a partition one directory up. Nothing known counts as rotational,
   since the word on solid-state disks explains, and must not explain away. */
static bool
is_solid_state(dev_t number)
{
    static const char *const places[] = {"queue", "../queue"};

    for (size_t i = 0; i < 2; i++) {
        AUTO_FREE char *path = xasprintf("/sys/dev/block/%u:%u/%s/rotational", major(number),
                                         minor(number), places[i]);
        AUTO_FILE FILE *f = fopen(path, "re");

        if (f)
            return fgetc(f) == '0';
    }
    return false;
}

static const char *
level_name(uint32_t level)
{
    switch (level) {
    case WRITE_BLOCK_BPF_LSM:
        return "bpf-lsm";
    case WRITE_BLOCK_READ_ONLY_FLAG:
        return "read-only-flag";
    default:
        return "none";
    }
}

static int
open_device(const struct stat *st, const struct privilege *as, struct against *a, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_OPEN, .device = (uint64_t)st->st_rdev};
    int sector = 0;

    a->is_device = true;
    a->session = session_start_compare(as, err);
    if (!a->session || session_ask(a->session, &m, NULL, 0, SUPERVISOR_OPENED, err) != 0)
        return -1;
    a->size = m.size;
    a->write_block = level_name(m.level);
    a->record = xstrdup(m.text);
    a->serial = xstrdup(m.serial);
    a->fd = session_borrow(a->session, err);
    if (a->fd < 0)
        return -1;
    a->solid_state = is_solid_state(st->st_rdev);
    if (ioctl(a->fd, BLKSSZGET, &sector) == 0 && sector >= 512)
        a->sector_size = (uint32_t)sector;
    return 0;
}

static int
open_file(const struct stat *st, struct against *a, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, OUTCOME_FAILED, "'%s' is neither a block device nor a regular file",
                       a->path);
    a->fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (a->fd < 0)
        return err_errno(err, "cannot open '%s'", a->path);
    (void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    a->size = (uint64_t)st->st_size;
    return 0;
}

int
against_open(const char *path, const struct privilege *as, struct against *out, struct err *err)
{
    struct stat st;
    int r;

    *out = (struct against){.path = path, .fd = -1, .sector_size = 512, .write_block = "none"};
    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    r = S_ISBLK(st.st_mode) ? open_device(&st, as, out, err) : open_file(&st, out, err);
    if (r != 0)
        against_close(out);
    return r;
}

int
against_finish(struct against *a, const char *manifest_sha256, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_FINISH};

    if (!a->session)
        return 0;
    /* The supervisor's hold, and with it the exclusive open, ends with the last descriptor. */
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
    (void)snprintf(m.text, sizeof m.text, "%s", manifest_sha256);
    if (session_ask(a->session, &m, NULL, 0, SUPERVISOR_FINISHED, err) != 0)
        return -1;
    a->flag_lost = m.lost;
    if (m.outcome != 0)
        return err_set(err, OUTCOME_FAILED, "%s", m.text);
    return 0;
}

void
against_close(struct against *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
    session_end(a->session);
    a->session = NULL;
    free(a->record);
    free(a->serial);
    a->record = NULL;
    a->serial = NULL;
}
