/*
 * exhibit-devices: the disks of this machine and who uses them. It reads what the kernel publishes;
 * as root it also has the drives asked, by exhibit-drive, for what they hide.
 */
#include "acquire/device/devices.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acquire/daemon/config.h"
#include "acquire/device/device_evidence.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/text.h"

enum { OPTION_JSON = 1, OPTION_HEALTH, OPTION_NO_ASK, OPTION_EVIDENCE };

static const struct option_spec option_table[] = {
    {"json", 0, NULL, OPTION_JSON, "print one JSON document"},
    {"health", 0, NULL, OPTION_HEALTH, "have smartctl ask each drive for its health (root)"},
    {"no-ask", 0, NULL, OPTION_NO_ASK, "send the drives no command, not even to identify"},
};

/* By the daemon, whose word it is then: the configuration is not read here. May be repeated. */
static const struct option_spec unlisted[] = {
    {"evidence", 0, "MARK", OPTION_EVIDENCE, ""},
};

static const struct program program = {
    .name = "exhibit devices",
    .usage = "[--json] [--health|--no-ask]",
    .summary = "List the disks that can be acquired, and who uses them.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof *option_table,
    .unlisted = unlisted,
    .n_unlisted = sizeof unlisted / sizeof *unlisted,
};

struct wanted {
    bool json, health, no_ask;
    const char **marks; /* what else than udev's word marks evidence */
    size_t n_marks;
};

char *
devices_holders(dev_t number)
{
    char dir[PATH_MAX];
    AUTO_FREE char *path = NULL;
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;
    char *out = xstrdup("");

    if (sysfs_block_dir("", number, dir)) {
        path = xasprintf("%s/holders", dir);
        d = opendir(path);
    }
    while (d && (e = readdir(d))) {
        AUTO_FREE char *before = out;

        if (e->d_name[0] == '.')
            out = xstrdup(before);
        else
            out = xasprintf("%s%s%s", before, *before ? " " : "", e->d_name);
    }
    return out;
}

/* A drive that a job reads has enough to do, and who reads it may be timing it. */
static void
ask(struct listed *disk, const struct wanted *wanted)
{
    char why[256];

    if (geteuid() == 0 && !wanted->no_ask && drive_is_asked(&disk->device) &&
        !device_has_worker(&disk->device, why, sizeof why))
        drive_reply_ask(&disk->device, wanted->health, &disk->reply);
}

/* NULL for one that was pulled out since, or whose medium was. */
static struct listed *
look_at(dev_t number, const struct wanted *wanted)
{
    struct listed *disk = xcalloc(1, sizeof *disk);
    struct err gone = ERR_INIT;

    if (device_read(number, &disk->device, &gone) != 0 || disk->device.size == 0) {
        free(disk);
        return NULL;
    }
    disk->use = device_in_use(&disk->device, disk->why, sizeof disk->why);
    disk->evidence = device_is_evidence(&disk->device, wanted->marks, wanted->n_marks);
    device_identity_read(&disk->device, &disk->identity);
    ask(disk, wanted);
    disk->locked = drive_locked_by(&disk->reply, device_locked_at("", &disk->device));
    return disk;
}

static int
list(const dev_t *numbers, size_t n, const struct wanted *wanted, struct err *err)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): of the pointer it is */
    AUTO_FREE struct listed **disks = xcalloc(n + 1, sizeof *disks);
    struct mounts mounts;
    size_t used = 0;

    mounts_read("", &mounts);
    for (size_t i = 0; i < n; i++) {
        if ((disks[used] = look_at(numbers[i], wanted)))
            used++;
    }
    if (wanted->json)
        devices_print_json(disks, used, &mounts);
    else if (used > 0)
        devices_print_table(disks, used, &mounts);
    else
        (void)fputs("no disks found\n", stderr);
    mounts_free(&mounts);
    for (size_t i = 0; i < used; i++) {
        drive_reply_clear(&disks[i]->reply);
        free(disks[i]);
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_errno(err, "cannot write the list");
    return 0;
}

static int
read_options(int argc, char **argv, struct wanted *wanted, struct err *err)
{
    struct options *options = options_new(&program, argc, argv);
    const char *arg;
    char **operands;
    int id, count, rc = 0;

    while ((id = options_next(options, &arg, err)) > 0) {
        if (id == OPTION_EVIDENCE) {
            wanted->marks = xrealloc(wanted->marks, wanted->n_marks + 1, sizeof *wanted->marks);
            wanted->marks[wanted->n_marks++] = arg;
        }
        wanted->json = wanted->json || id == OPTION_JSON;
        wanted->health = wanted->health || id == OPTION_HEALTH;
        wanted->no_ask = wanted->no_ask || id == OPTION_NO_ASK;
    }
    operands = options_operands(options, &count);
    if (id < 0)
        rc = -1;
    else if (count > 0)
        rc = err_set(err, OUTCOME_USAGE, "unexpected argument '%s'; see 'exhibit devices --help'",
                     operands[0]);
    else if (wanted->health && wanted->no_ask)
        rc = err_set(err, OUTCOME_USAGE, "--health asks the drives, --no-ask does not: take one");
    else if (wanted->health && geteuid() != 0)
        rc = err_set(err, OUTCOME_FAILED, "only root can ask drives for their health; use sudo");
    options_free(options);
    return rc;
}

/* One that is not there, cannot be read or makes no sense marks nothing here: exhibitd says so. */
static void
read_config(struct wanted *wanted, struct config *config)
{
    struct err ignored = ERR_INIT;

    if (wanted->marks) {
        config_begin(config);
        return;
    }
    if (config_load(CONFIG_FILE, config, &ignored) != 0)
        return;
    wanted->marks = xcalloc(config->evidence.n + 1, sizeof *wanted->marks);
    for (size_t i = 0; i < config->evidence.n; i++)
        wanted->marks[wanted->n_marks++] = config->evidence.v[i];
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    AUTO_FREE dev_t *numbers = NULL;
    struct wanted wanted = {0};
    struct config config;
    size_t n = 0;
    int r;

    console_begin();
    r = read_options(argc, argv, &wanted, &err);
    read_config(&wanted, &config);
    if (r < 0 || device_list(&numbers, &n, &err) < 0 || list(numbers, n, &wanted, &err) < 0)
        r = err_report(&err);
    free((void *)wanted.marks);
    config_free(&config);
    return r == 0 ? console_end(OUTCOME_DONE) : r;
}
