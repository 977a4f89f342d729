#include "acquire/device/drive_reply.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquire/device/drive_answer.h"
#include "acquire/device/drive_health.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/spawn.h"
#include "common/text.h"

/* So much longer than it gives itself. */
#define WAIT_SECONDS 2u

bool
drive_is_asked(const struct device *device)
{
    static const char *const buses[] = {"ata", "scsi", "usb", "nvme"};

    for (size_t i = 0; i < sizeof buses / sizeof buses[0]; i++) {
        if (strcmp(device->bus, buses[i]) == 0)
            return true;
    }
    return false;
}

static void
say_why(struct drive_reply *out, const char *why)
{
    (void)snprintf(out->why, sizeof out->why, "%s", why);
}

/* --- reading --- */

/* As much as comes until the end, or the deadline: 0, or -1 where it never ended. */
static int
read_all(int fd, unsigned seconds, char *buf, size_t size, size_t *used)
{
    uint64_t end = clock_monotonic_ns() + (uint64_t)seconds * 1000000000;

    for (*used = 0;;) {
        uint64_t now = clock_monotonic_ns();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        if (now >= end || *used == size)
            return -1;
        if (poll(&p, 1, (int)((end - now) / 1000000) + 1) <= 0)
            continue;
        n = read(fd, buf + *used, size - *used);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -1;
        *used += n > 0 ? (size_t)n : 0;
    }
}

void
drive_reply_read(int fd, bool health, struct drive_reply *out)
{
    const size_t size = sizeof(struct drive_answer) + DRIVE_JSON_MAX;
    AUTO_FREE char *buf = malloc(size);
    struct drive_answer a = {0};
    size_t n = 0;
    bool whole;

    *out = (struct drive_reply){.asked = true};
    whole = buf && read_all(fd, DRIVE_SECONDS(health) + WAIT_SECONDS, buf, size, &n) == 0;
    if (buf && n >= sizeof a)
        memcpy(&a, buf, sizeof a);
    if (a.magic != DRIVE_MAGIC) {
        say_why(out, "the drive did not answer");
        return;
    }
    out->answered = true;
    out->ata = a.ata;
    if (a.locked <= DEVICE_LOCKED_OPAL)
        out->locked = (enum device_locked)a.locked;
    if (!health)
        return;
    if (!a.smartctl)
        say_why(out, "smartctl (smartmontools) is not installed");
    else if (!whole)
        say_why(out, "smartctl did not come to its end");
    else if (!(out->health = drive_health_parse(buf + sizeof a, n - sizeof a)))
        say_why(out, "smartctl gave no JSON document");
}

void
drive_reply_clear(struct drive_reply *reply)
{
    json_decref(reply->health);
    memset(reply, 0, sizeof *reply);
}

/* --- asking --- */

static int
open_disk(const struct device *device, const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == device->disk_number))
        return fd;
    (void)close(fd);
    return -1;
}

void
drive_reply_ask(const struct device *device, bool health, struct drive_reply *out)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *path = xasprintf("/dev/%s", device->disk_name);
    AUTO_FREE char *program = spawn_program_path("exhibit-drive", &err);
    char *argv[] = {(char[]){"exhibit-drive"},
                    health ? (char[]){DRIVE_HEALTH} : (char[]){DRIVE_SIZE}, path, NULL};
    AUTO_FD int disk = open_disk(device, path);
    struct spawn_fd map[] = {{.ours = disk, .theirs = DRIVE_FD}, {.theirs = STDOUT_FILENO}};
    int pipe_fds[2];
    pid_t pid = -1;

    *out = (struct drive_reply){.asked = true};
    say_why(out, "the drive cannot be asked");
    if (disk < 0 || !program || pipe2(pipe_fds, O_CLOEXEC) != 0)
        return;
    map[1].ours = pipe_fds[1];
    pid = spawn(program, argv, map, 2, &err);
    (void)close(pipe_fds[1]);
    if (pid > 0)
        drive_reply_read(pipe_fds[0], health, out);
    (void)close(pipe_fds[0]);
    if (pid <= 0)
        return;
    /* One that waits in the kernel dies later, and is nobody's to wait for. */
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, WNOHANG);
}

/* --- in words --- */

static void
set_known(json_t *v, const char *key, bool known, uint64_t n)
{
    if (known)
        json_set_u64(v, key, n);
    else
        (void)json_object_set_new(v, key, json_null());
}

json_t *
drive_hidden_json(const struct drive_reply *reply)
{
    struct ata_hidden h;
    json_t *v = json_object();

    ata_find_hidden(&reply->ata, &h);
    set_known(v, "hpa", h.hpa_known, h.hpa);
    set_known(v, "dco", h.dco_known, h.dco);
    if (!reply->answered)
        return v;
    set_known(v, "native_sectors", h.native != 0, h.native);
    set_known(v, "factory_sectors", h.whole != 0, h.whole);
    if (h.hpa_note)
        json_set_text(v, "hpa_note", h.hpa_note);
    if (h.dco_note)
        json_set_text(v, "dco_note", h.dco_note);
    return v;
}

static bool
identity(const struct drive_reply *reply, struct ata_identify *out)
{
    return reply->ata.identified == ATA_ANSWERED &&
           ata_identify_parse(reply->ata.identify, sizeof reply->ata.identify, out);
}

static void
set_or_null(json_t *v, const char *key, const char *s)
{
    json_set_text(v, key, *s ? s : NULL);
}

json_t *
drive_identity_json(const struct drive_reply *reply)
{
    struct ata_identify id;
    json_t *v;

    if (!identity(reply, &id))
        return json_null();
    v = json_object();
    set_or_null(v, "model", id.model);
    set_or_null(v, "serial", id.serial);
    set_or_null(v, "firmware", id.firmware);
    json_set_u64(v, "sectors", id.sectors);
    json_set_u64(v, "logical_sector_size", id.logical_sector_size);
    json_set_u64(v, "physical_sector_size", id.physical_sector_size);
    json_set_bool(v, "solid_state", id.solid_state);
    set_known(v, "rotation_rate", id.rotation != 0, id.rotation);
    json_set_bool(v, "trim", id.trim);
    json_set_bool(v, "trim_zeroes", id.trim_zeroes);
    json_set_bool(v, "security_locked", id.locked);
    json_set_bool(v, "security_frozen", id.frozen);
    return v;
}

char *
drive_hidden_text(const struct drive_reply *reply, bool dco)
{
    struct ata_hidden h;
    const char *note;

    ata_find_hidden(&reply->ata, &h);
    note = dco ? h.dco_note : h.hpa_note;
    if (!(dco ? h.dco_known : h.hpa_known))
        return xasprintf("not known: %s", note);
    if ((dco ? h.dco : h.hpa) == 0)
        return xasprintf("none%s%s%s", note ? " (" : "", note ? note : "", note ? ")" : "");
    return xasprintf("%" PRIu64 " sectors are hidden", dco ? h.dco : h.hpa);
}

bool
drive_hides(const struct drive_reply *reply)
{
    struct ata_hidden h;

    ata_find_hidden(&reply->ata, &h);
    return h.hpa > 0 || h.dco > 0;
}

enum device_locked
drive_locked_by(const struct drive_reply *reply, bool by_kernel)
{
    struct ata_identify id;

    return by_kernel || (identity(reply, &id) && id.locked) ? DEVICE_LOCKED_ATA : reply->locked;
}

char *
drive_bridge_text(const struct drive_reply *reply, const struct device *device)
{
    struct ata_identify id;
    uint64_t bytes;

    if (!identity(reply, &id) || device->is_partition)
        return NULL;
    if (id.logical_sector_size != device->logical_sector_size)
        return xasprintf("the drive has sectors of %" PRIu32 " bytes, what it is connected "
                         "through shows sectors of %" PRIu32
                         ": partition tables written through the one do not fit the other",
                         id.logical_sector_size, device->logical_sector_size);
    if (__builtin_mul_overflow(id.sectors, id.logical_sector_size, &bytes) || bytes == device->size)
        return NULL;
    return xasprintf("the drive has %" PRIu64 " bytes, what it is connected through shows %" PRIu64,
                     bytes, device->size);
}
