#include "acquire/supervisor/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "acquire/supervisor/write_block.h"
#include "common/cleanup.h"
#include "common/text.h"

static int
check_use(const struct device *d, struct err *err)
{
    char why[512] = "";

    switch (device_in_use_closely(d, why, sizeof why)) {
    case DEVICE_SYSTEM:
        return err_set(err, OUTCOME_REFUSED,
                       "cannot acquire '/dev/%s': the running system is on it (%s)", d->name, why);
    case DEVICE_BUSY:
        return err_set(err, OUTCOME_REFUSED,
                       "cannot acquire '/dev/%s': busy (%s); unmount or release it first", d->name,
                       why);
    case DEVICE_FREE:
        break;
    }
    return 0;
}

/* Probes open a disk for writing in passing (losetup looking for a free device, a partitioner's
   list); a writer stays. */
#define WRITER_LOOKS 5
#define WRITER_PAUSE_NS 200000000L

static int
check_writers(const struct device *d, struct err *err)
{
    const struct timespec pause = {.tv_nsec = WRITER_PAUSE_NS};
    char why[512] = "";

    for (int look = 0; look < WRITER_LOOKS; look++) {
        if (look > 0)
            (void)nanosleep(&pause, NULL);
        if (!device_has_writer(d, why, sizeof why))
            return 0;
    }
    return err_set(err, OUTCOME_REFUSED,
                   "cannot acquire '/dev/%s': busy (%s); let that end or stop it first", d->name,
                   why);
}

static int
busy(const struct device *d, const char *path, struct err *err)
{
    char why[128];

    if (device_has_worker(d, why, sizeof why))
        return err_set(err, OUTCOME_REFUSED,
                       "cannot open '%s': busy (%s, of another job, has it; if that job has ended, "
                       "the process waits in the kernel for the drive's answer, and goes when the "
                       "drive answers or is disconnected: then '--resume' continues)",
                       path, why);
    return err_set(err, OUTCOME_REFUSED,
                   "cannot open '%s': busy (held by the kernel or another program)", path);
}

int
hold_open_exclusive(const struct device *d, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/dev/%s", d->name);
    int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 && errno == EBUSY)
        return busy(d, path, err);
    if (fd < 0 && errno == EACCES)
        return err_set(err, OUTCOME_FAILED, "cannot open '%s': permission denied; run with sudo",
                       path);
    if (fd < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(fd, &st) != 0 || !S_ISBLK(st.st_mode) || st.st_rdev != d->number) {
        (void)close(fd);
        return err_set(err, OUTCOME_REFUSED, "'%s' is not the device that was named", path);
    }
    return fd;
}

/* The device could have been swapped between the look and the open: with the descriptor held it
   must still be the same, and the one that was asked for. */
static int
check_identity(const struct device *d, int fd, const struct supervisor_message *m, struct err *err)
{
    AUTO_FREE struct device *again = xcalloc(1, sizeof *again);
    uint64_t size = 0;

    if (device_read(d->number, again, err) != 0)
        return -1;
    if (ioctl(fd, BLKGETSIZE64, &size) != 0)
        return err_errno(err, "cannot read the size of '/dev/%s'", d->name);
    if ((m->diskseq != 0 && again->diskseq != m->diskseq) || again->diskseq != d->diskseq ||
        strcmp(again->serial, d->serial) != 0 || size != d->size)
        return err_set(err, OUTCOME_REFUSED,
                       "'/dev/%s' changed while it was opened; is it the right one?", d->name);
    if (m->text[0] && !again->serial[0])
        return err_set(err, OUTCOME_REFUSED, "'/dev/%s' gives no serial number, '%s' was expected",
                       d->name, m->text);
    if (m->text[0] && strcmp(m->text, again->serial) != 0)
        return err_set(err, OUTCOME_REFUSED,
                       "the serial number of '/dev/%s' is '%s', not '%s' as expected", d->name,
                       again->serial, m->text);
    return 0;
}

/* Pages that somebody wrote to and nobody has open any more would reach the disk after it was read;
   a disk that is failing may not take them. Unlike fsync(), which sends a command to the drive in
   any case, this does nothing where there are none. */
static int
flush(const struct device *d, int fd, struct err *err)
{
    if (sync_file_range(fd, 0, 0,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                            SYNC_FILE_RANGE_WAIT_AFTER) != 0)
        return err_errno(err, "cannot write out what is waiting for '/dev/%s'", d->name);
    return 0;
}

static int
set_flag(struct record *r, struct err *err)
{
    if (write_block_set(r->device, true, &r->during, err) == 0)
        return 0;
    /* Behind a hardware blocker the flag is only a second line. */
    if (r->level == WRITE_BLOCK_HARDWARE)
        return write_block_look(r->device, &r->during, err);
    err->outcome = OUTCOME_REFUSED;
    return err_context(err, "write block '%s' cannot be had", write_block_level_name(r->level));
}

/* The guard, if it is demanded, or can be had where the best is asked for. */
static int
set_guard(int fd, enum write_block_level demanded, struct record *r, struct guard **g,
          struct err *err)
{
    struct err why = ERR_INIT;
    bool before = false;

    *g = guard_open(&why);
    if (*g && guard_protect(*g, r->device, fd, &before, &why) == 0) {
        r->guard_taken = !before;
        r->level = WRITE_BLOCK_BPF_LSM;
        return 0;
    }
    guard_close(*g);
    *g = NULL;
    (void)snprintf(r->guard_missing, sizeof r->guard_missing, "%s", why.text);
    if (demanded == WRITE_BLOCK_BPF_LSM)
        return err_set(err, OUTCOME_REFUSED,
                       "write block 'bpf-lsm' cannot be had: %s; 'read-only-flag' is the best "
                       "there is",
                       why.text);
    return 0;
}

static int
protect(int fd, enum write_block_level demanded, struct record *r, struct guard **g,
        struct err *err)
{
    r->level = demanded;
    if (demanded == WRITE_BLOCK_NONE)
        return write_block_look(r->device, &r->during, err);
    if (demanded == WRITE_BLOCK_AUTO)
        r->level = WRITE_BLOCK_READ_ONLY_FLAG;
    if (flush(r->device, fd, err) != 0)
        return -1;
    if ((demanded == WRITE_BLOCK_AUTO || demanded == WRITE_BLOCK_BPF_LSM) &&
        set_guard(fd, demanded, r, g, err) != 0)
        return -1;
    return set_flag(r, err);
}

/* Nobody else holds the disk or a partition of it for as long as this descriptor is open. */
static int
open_whole(const struct device *d, struct err *err)
{
    AUTO_FREE struct device *whole = xcalloc(1, sizeof *whole);

    if (device_read(d->disk_number, whole, err) != 0)
        return -1;
    return hold_open_exclusive(whole, err);
}

int
hold_lift(const struct device *d, struct flag_state *now, struct err *err)
{
    AUTO_FD int fd = open_whole(d, err);

    if (fd < 0)
        return err_context(err, "cannot release '/dev/%s'", d->name);
    /* As long as it is held, its number is not given to another. */
    if (device_diskseq(d) != d->diskseq)
        return err_set(err, OUTCOME_REFUSED, "cannot release '/dev/%s': it is another disk by now",
                       d->name);
    return write_block_lift(d, now, err);
}

void
hold_undo(const struct record *r)
{
    struct err ignored = ERR_INIT;
    struct flag_state undone;
    AUTO_FD int fd = open_whole(r->device, &ignored);

    if (fd < 0)
        return;
    if (r->level != WRITE_BLOCK_NONE && r->before.read_only == 0)
        (void)write_block_set(r->device, false, &undone, &ignored);
    if (r->guard_taken)
        (void)guard_release(r->device, &ignored);
}

/* With the descriptor: is it the right one, and how was it found? */
static int
look_before(const struct supervisor_message *m, int fd, struct record *r, struct err *err)
{
    return check_identity(r->device, fd, m, err) != 0
               ? -1
               : write_block_look(r->device, &r->before, err);
}

/* Whoever opened it since the first look is seen now; later ones cannot write. */
static int
secure(const struct supervisor_message *m, int fd, struct record *r, struct guard **g,
       struct err *err)
{
    if (protect(fd, (enum write_block_level)m->level, r, g, err) == 0 &&
        check_writers(r->device, err) == 0)
        return 0;
    guard_close(*g);
    *g = NULL;
    return -1;
}

int
hold_device(const struct supervisor_message *m, struct record *r, struct guard **g, struct err *err)
{
    const struct device *d = r->device;
    bool looked;
    int fd;

    *g = NULL;
    if (check_use(d, err) != 0 || check_writers(d, err) != 0)
        return -1;
    fd = hold_open_exclusive(d, err);
    if (fd < 0)
        return -1;
    looked = look_before(m, fd, r, err) == 0;
    if (looked && secure(m, fd, r, g, err) == 0)
        return fd;
    (void)close(fd);
    if (looked)
        hold_undo(r);
    return -1;
}
