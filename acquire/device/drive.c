/*
 * exhibit-drive: asks one drive for what no file of the kernel tells: its identification, its size
 * without hidden areas, its health. Started as root by the supervisor or by `exhibit devices`, with
 * the device as a descriptor; sends nothing but commands that read, parses as little as it can, and
 * becomes smartctl in the end. A drive that does not answer costs this process alone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/capability.h>

#include "acquire/device/ata_command.h"
#include "acquire/device/device.h"
#include "acquire/device/drive_answer.h"
#include "common/cleanup.h"
#include "common/privilege.h"
#include "common/sandbox.h"
#include "common/text.h"

/* What smartctl may have of the machine: it writes no file and makes no core. */
#define MEMORY_MAX ((size_t)512 << 20)
#define CPU_SECONDS 10

static const char *const smartctl_places[] = {"/usr/sbin/smartctl", "/sbin/smartctl"};

static const char *
find_smartctl(void)
{
    for (size_t i = 0; i < sizeof smartctl_places / sizeof smartctl_places[0]; i++) {
        if (access(smartctl_places[i], X_OK) == 0)
            return smartctl_places[i];
    }
    return NULL;
}

static int
give_up_the_rest(bool health, struct err *err)
{
    static const unsigned needed[] = {CAP_SYS_RAWIO, CAP_SYS_ADMIN};
    struct sandbox_filter *offline;

    (void)signal(SIGPIPE, SIG_DFL);
    (void)alarm(DRIVE_SECONDS(health)); /* an exec keeps it */
    if (privilege_keep(needed, sizeof needed / sizeof needed[0]) != 0)
        return err_errno(err, "cannot give up privileges");
    offline = sandbox_offline_new(err);
    if (!offline || sandbox_filter_apply(offline) != 0) {
        sandbox_filter_free(offline);
        return err_errno(err, "cannot shut out the network");
    }
    sandbox_filter_free(offline);
    return 0;
}

static void
become_smartctl(const char *path, const char *disk, bool sat)
{
    char *argv[] = {(char[]){"smartctl"},
                    (char[]){"--json=c"},
                    (char[]){"--info"},
                    (char[]){"--health"},
                    (char[]){"--attributes"},
                    (char[]){"--device"},
                    sat ? (char[]){"sat"} : (char[]){"auto"},
                    xstrdup(disk),
                    NULL};
    char *environment[] = {(char[]){"LC_ALL=C"}, NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct rlimit no_files = {0};
    struct err ignored = ERR_INIT;

    if (setrlimit(RLIMIT_FSIZE, &no_files) != 0 ||
        sandbox_limit(MEMORY_MAX, CPU_SECONDS, &ignored) != 0)
        return;

    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDERR_FILENO);
    }
    (void)close(DRIVE_FD);
    (void)execve(path, argv, environment);
}

static int
answer(bool health, const char *disk, struct err *err)
{
    AUTO_FREE struct device *device = xcalloc(1, sizeof *device);
    struct drive_answer a = {.magic = DRIVE_MAGIC};
    const char *smartctl = health ? find_smartctl() : NULL;
    struct stat st;
    bool direct;

    if (fstat(DRIVE_FD, &st) != 0 || !S_ISBLK(st.st_mode))
        return err_set(err, OUTCOME_USAGE,
                       "exhibit-drive is started by other programs of the "
                       "suite, not by hand");
    if (device_read(st.st_rdev, device, err) != 0)
        return -1;
    direct = strcmp(device->bus, "ata") == 0;
    if (direct || strcmp(device->bus, "usb") == 0 || strcmp(device->bus, "scsi") == 0)
        ata_ask_all(DRIVE_FD, direct, &a.ata);
    a.locked = device_locked(device, DRIVE_FD);
    a.smartctl = smartctl != NULL;
    if (write(STDOUT_FILENO, &a, sizeof a) != (ssize_t)sizeof a)
        return err_errno(err, "cannot answer");
    if (smartctl)
        become_smartctl(smartctl, disk, !direct && a.ata.identified == ATA_ANSWERED);
    return 0;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    bool health;

    if (argc != 3 || (strcmp(argv[1], DRIVE_SIZE) != 0 && strcmp(argv[1], DRIVE_HEALTH) != 0)) {
        (void)err_set(&err, OUTCOME_USAGE,
                      "exhibit-drive is started by other programs of the suite, not by hand");
        return err_report(&err);
    }
    health = strcmp(argv[1], DRIVE_HEALTH) == 0;
    if (give_up_the_rest(health, &err) != 0 || answer(health, argv[2], &err) != 0)
        return err_report(&err);
    return 0;
}
