#include "acquire/device/device_sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

void
sysfs_trim(const char *text, size_t n, char *out, size_t size)
{
    size_t used = 0;

    while (n && is_blank(*text)) {
        text++;
        n--;
    }
    n = strnlen(text, n);
    while (n && is_blank(text[n - 1]))
        n--;
    for (; used < n && used + 1 < size; used++)
        out[used] = text[used];
    out[used] = '\0';
}

size_t
sysfs_bytes(const char *dir, const char *attribute, void *out, size_t size)
{
    char path[PATH_MAX];
    AUTO_FD int fd = -1;
    size_t used = 0;
    int n = snprintf(path, sizeof path, "%s/%s", dir, attribute);

    if (n < 0 || (size_t)n >= sizeof path)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    while (used < size) {
        ssize_t got = read(fd, (char *)out + used, size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    return used;
}

bool
sysfs_text(const char *dir, const char *attribute, char *out, size_t size)
{
    char raw[4096];
    size_t n = sysfs_bytes(dir, attribute, raw, sizeof raw);

    sysfs_trim(raw, n, out, size);
    return n > 0;
}

bool
sysfs_u64(const char *dir, const char *attribute, uint64_t *out)
{
    char text[64], *end;
    unsigned long long value;

    if (!sysfs_text(dir, attribute, text, sizeof text) || !isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || *end)
        return false;
    *out = value;
    return true;
}

bool
sysfs_has(const char *dir, const char *attribute)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, attribute);

    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

bool
sysfs_number(const char *dir, dev_t *out)
{
    char text[64], *end;
    unsigned long major_number, minor_number;

    if (!sysfs_text(dir, "dev", text, sizeof text) || !isdigit((unsigned char)text[0]))
        return false;
    major_number = strtoul(text, &end, 10);
    if (*end != ':' || !isdigit((unsigned char)end[1]))
        return false;
    minor_number = strtoul(end + 1, &end, 10);
    if (*end || major_number > UINT_MAX || minor_number > UINT_MAX)
        return false;
    *out = makedev((unsigned)major_number, (unsigned)minor_number);
    return true;
}

bool
sysfs_block_dir(const char *root, dev_t number, char out[PATH_MAX])
{
    char path[PATH_MAX];
    int n =
        snprintf(path, sizeof path, "%s/sys/dev/block/%u:%u", root, major(number), minor(number));

    return n > 0 && (size_t)n < sizeof path && realpath(path, out) != NULL;
}

bool
sysfs_parent(char *dir)
{
    char *slash = strrchr(dir, '/');

    if (!slash || slash == dir)
        return false;
    *slash = '\0';
    return true;
}

bool
sysfs_usb_ancestor(const char *root, const char *dir, char out[PATH_MAX])
{
    char top[PATH_MAX];
    size_t n;
    char devices[PATH_MAX];

    n = (size_t)snprintf(devices, sizeof devices, "%s/sys/devices", root);
    if (n >= sizeof devices || !realpath(devices, top))
        return false;
    n = strlen(top);
    (void)snprintf(out, PATH_MAX, "%s", dir);
    /* Root hubs have idVendor too, but lie above every device: the nearest one is the disk's. */
    while (sysfs_parent(out) && strncmp(out, top, n) == 0 && out[n] == '/')
        if (sysfs_has(out, "idVendor"))
            return true;
    out[0] = '\0';
    return false;
}

void
sysfs_kernel_name(const char *dir, char *out, size_t size)
{
    const char *slash = strrchr(dir, '/');

    (void)snprintf(out, size, "%s", slash ? slash + 1 : dir);
    for (; *out; out++)
        if (*out == '!')
            *out = '/';
}
