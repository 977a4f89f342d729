#include "acquire/device/device_evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"

/* The lines of udev's record that set a property begin so. */
#define UDEV_MARK "E:EXHIBIT_EVIDENCE=1"

/* The value behind `key` in the mark, or NULL; never an empty one, which unknown serials equal. */
static const char *
value_of(const char *mark, const char *key)
{
    size_t n = strlen(key);

    return strncmp(mark, key, n) == 0 && mark[n] != '\0' ? mark + n : NULL;
}

int
device_mark_check(const char *mark, struct err *err)
{
    const char *path = value_of(mark, "path=");

    if (value_of(mark, "serial=") || value_of(mark, "wwn=") ||
        (path && strncmp(path, "/dev/", 5) == 0))
        return 0;
    return err_set(err, OUTCOME_USAGE,
                   "'%s' marks no evidence; 'serial=TEXT', 'wwn=TEXT' or 'path=/dev/...' does",
                   mark);
}

static bool
udev_says(const char *root, dev_t number)
{
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    char path[PATH_MAX];
    size_t room = 0;
    bool marked = false;

    (void)snprintf(path, sizeof path, "%s/run/udev/data/b%u:%u", root, major(number),
                   minor(number));
    f = fopen(path, "re");
    while (f && !marked && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        marked = strcmp(line, UDEV_MARK) == 0;
    }
    return marked;
}

static bool
is_at(const char *root, const struct device *d, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    if ((size_t)snprintf(path, sizeof path, "%s%s", root, name) >= sizeof path ||
        stat(path, &st) != 0 || !S_ISBLK(st.st_mode))
        return false;
    return st.st_rdev == d->number || st.st_rdev == d->disk_number;
}

static bool
mark_fits(const char *root, const struct device *d, const char *mark)
{
    const char *serial = value_of(mark, "serial=");
    const char *wwn = value_of(mark, "wwn=");
    const char *path = value_of(mark, "path=");

    return (serial && strcmp(serial, d->serial) == 0) || (wwn && strcmp(wwn, d->wwn) == 0) ||
           (path && is_at(root, d, path));
}

static bool
any_mark_fits(const char *root, const struct device *d, const char *const *marks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (mark_fits(root, d, marks[i]))
            return true;
    }
    return false;
}

bool
device_is_evidence_at(const char *root, const struct device *device, const char *const *marks,
                      size_t n)
{
    if (udev_says(root, device->number) || udev_says(root, device->disk_number))
        return true;
    return any_mark_fits(root, device, marks, n);
}

bool
device_mark_fits(const struct device *device, const char *const *marks, size_t n)
{
    return any_mark_fits("", device, marks, n);
}

bool
device_is_evidence(const struct device *device, const char *const *marks, size_t n)
{
    return device_is_evidence_at("", device, marks, n);
}
