/*
 * exhibit-mark: run by udev for each disk that appears, before any other rule looks at it. Says
 * whether it is evidence, and sets the kernel's read-only flag on it then (docs/evidence-disks.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "acquire/daemon/config.h"
#include "acquire/daemon/mark_policy.h"
#include "acquire/device/device.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/size.h"
#include "common/text.h"

#define STATE_DIR "/run/exhibit"

enum { ID_ARM = 1 };

static const struct option_spec specs[] = {
    {"arm", 0, NULL, ID_ARM, "from now on, disks that appear are evidence"},
};

static const struct program program = {
    .name = "exhibit-mark",
    .usage = "[--arm]",
    .summary = "Run by udev with the properties of a disk: prints EXHIBIT_EVIDENCE=1 if it is\n"
               "evidence, and sets the kernel's read-only flag on it when it is new.",
    .options = specs,
    .n_options = sizeof specs / sizeof specs[0],
};

static int
arm(struct err *err)
{
    AUTO_FREE dev_t *numbers = NULL;
    uint64_t last = 0;
    size_t n;

    if (device_list(&numbers, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE struct device *d = xcalloc(1, sizeof *d);
        struct err gone = ERR_INIT;

        if (device_read(numbers[i], d, &gone) == 0 && d->diskseq > last)
            last = d->diskseq;
    }
    return mark_state_arm(STATE_DIR, last, err);
}

/* A property that udev hands over. */
static int
property(const char *name, uint64_t max, uint64_t *out, struct err *err)
{
    const char *text = getenv(name);

    if (!text)
        return err_set(err, OUTCOME_USAGE, "there is no %s: exhibit-mark is run by udev", name);
    return number_parse(text, 0, max, name, out, err);
}

/* Opened by the number that was judged, whatever lies at the name by now. */
static int
protect(const struct device *d, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/dev/%s", d->name);
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    int on = 1;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    if (!S_ISBLK(st.st_mode) || st.st_rdev != d->number)
        return err_set(err, OUTCOME_FAILED, "'%s' is another device by now", path);
    if (ioctl(fd, BLKROSET, &on) != 0)
        return err_errno(err, "cannot make '%s' read-only", path);
    return 0;
}

/* Its first event, or that of another medium in it. Later ones leave the flag alone: it may have
   been lifted on purpose. */
static bool
is_first(const struct device *d)
{
    struct err err = ERR_INIT;
    uint64_t known;

    return !getenv("EXHIBIT_DISKSEQ") ||
           property("EXHIBIT_DISKSEQ", UINT64_MAX, &known, &err) != 0 || known != d->diskseq;
}

/* A configuration that cannot be read spares nothing: a disk too many is protected, and said. */
static void
read_config(struct config *c)
{
    struct err err = ERR_INIT;

    if (config_load(CONFIG_FILE, c, &err) == 0 || err.sys == ENOENT)
        return;
    (void)err_report(&err);
    config_free(c);
    config_begin(c);
}

static int
mark(const struct device *d, const struct mark_state *state, const struct config *c,
     struct err *err)
{
    bool first = is_first(d);

    if (!mark_is_evidence(d, state, c))
        return 0;
    (void)printf("EXHIBIT_EVIDENCE=1\nEXHIBIT_DISKSEQ=%" PRIu64 "\n%s", d->diskseq,
                 first ? "EXHIBIT_NEW=1\n" : "");
    return first ? protect(d, err) : 0;
}

static int
judge(struct err *err)
{
    AUTO_FREE struct device *d = xcalloc(1, sizeof *d);
    struct mark_state state;
    struct config config;
    uint64_t numbers[2];
    int r = -1;

    if (property("MAJOR", UINT32_MAX, &numbers[0], err) != 0 ||
        property("MINOR", UINT32_MAX, &numbers[1], err) != 0 ||
        device_read(makedev((unsigned)numbers[0], (unsigned)numbers[1]), d, err) != 0 ||
        mark_state_load(STATE_DIR, &state, err) != 0)
        return -1;
    read_config(&config);
    r = mark(d, &state, &config, err);
    config_free(&config);
    return r;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct err err = ERR_INIT;
    bool arming = false;
    const char *arg;
    int count;
    int id;

    console_begin();
    while ((id = options_next(o, &arg, &err)) > 0)
        arming = true;
    (void)options_operands(o, &count);
    options_free(o);
    if (id == 0 && count > 0)
        id = err_set(&err, OUTCOME_USAGE, "exhibit-mark takes no operands");
    if (id == 0)
        id = arming ? arm(&err) : judge(&err);
    /* udev takes what was printed only from a program that succeeds. */
    if (id != 0)
        (void)err_report(&err);
    return console_end(id == 0 || !arming ? OUTCOME_DONE : (int)err.outcome);
}
