#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "acquire/device/devices.h"
#include "acquire/device/drive_health.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "common/table.h"
#include "common/text.h"

enum column { NAME, SIZE, BUS, MODEL, SERIAL, PARTITIONS, READ_ONLY, USE, COLUMNS };

/* What may be cut is said in full below. */
static const struct table_column shape[COLUMNS] = {
    [NAME] = {.heading = "DEVICE"},
    [SIZE] = {.heading = "SIZE", .right = true},
    [BUS] = {.heading = "BUS"},
    [MODEL] = {.heading = "MODEL", .least = 12},
    [SERIAL] = {.heading = "SERIAL", .least = 10},
    [PARTITIONS] = {.heading = "PARTS", .right = true},
    [READ_ONLY] = {.heading = "RO"},
    [USE] = {.heading = "IN USE", .least = 14},
};

#define WIDTH_LEAST 60
#define INDENT "    "

/* SIZE_MAX where nothing limits it. */
static size_t
terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize w;
    struct err ignored = ERR_INIT;
    uint64_t n;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        n = w.ws_col;
    else if (!columns || number_parse(columns, 1, 10000, "COLUMNS", &n, &ignored) != 0)
        return SIZE_MAX;
    return n < WIDTH_LEAST ? WIDTH_LEAST : (size_t)n;
}

/* --- a disk's row --- */

static char *
use_text(const struct listed *disk)
{
    const char *mark = disk->evidence ? ", evidence" : "";
    AUTO_FREE char *safe = NULL;

    if (disk->use == DEVICE_FREE)
        return xasprintf("free%s", mark);
    safe = text_printable(disk->why);
    return xasprintf("%s (%s)%s", disk->use == DEVICE_SYSTEM ? "system" : "busy", safe, mark);
}

/* A loop device has no model; what it shows is its file. */
static char *
model_text(const struct device *device)
{
    AUTO_FREE char *raw = NULL;

    if (*device->backing_file)
        raw = xasprintf("file %s", device->backing_file);
    else
        raw = xasprintf("%s%s%s", device->vendor, *device->vendor && *device->model ? " " : "",
                        device->model);
    return text_printable(raw);
}

static void
add_row(const struct listed *disk, struct table *t)
{
    const struct device *device = &disk->device;
    char size[SIZE_TEXT_MAX];
    AUTO_FREE char *path = xasprintf("/dev/%s", device->name);

    table_add(t, text_printable(path));
    table_add(t, xstrdup(size_human(device->size, size)));
    table_add(t, xstrdup(device->bus));
    table_add(t, model_text(device));
    table_add(t, text_printable(device->serial));
    table_add(t, xasprintf("%zu%s", device->n_partitions, device->more_partitions ? "+" : ""));
    table_add(t, xstrdup(device->read_only ? "yes" : "no"));
    table_add(t, use_text(disk));
}

/* --- details --- */

/* Broken between words where the terminal ends. */
static void
print_wrapped(const char *text, size_t width)
{
    size_t room = width - strlen(INDENT);
    size_t at = 0;

    (void)fputs(INDENT, stdout);
    while (*text) {
        size_t word = strcspn(text, " ");
        size_t n = text_width(text, word);

        if (at > 0 && at + 1 + n > room) {
            (void)printf("\n" INDENT "  ");
            at = 2;
        } else if (at > 0) {
            (void)fputc(' ', stdout);
            at++;
        }
        (void)printf("%.*s", (int)word, text);
        at += n;
        text += word;
        text += strspn(text, " ");
    }
    (void)fputc('\n', stdout);
}

static void
detail(size_t width, const char *what, const char *text)
{
    AUTO_FREE char *raw = text ? xasprintf("%s%s%s", what, *what ? ": " : "", text) : NULL;
    AUTO_FREE char *safe = raw ? text_printable(raw) : NULL;

    if (safe)
        print_wrapped(safe, width);
}

static void
print_partition(const struct device_partition *p, const struct mounts *mounts, size_t width)
{
    AUTO_FREE char *holders = devices_holders(p->number);
    AUTO_FREE char *line = NULL;
    char size[SIZE_TEXT_MAX];

    line = xasprintf("%s %s%s%s", p->name, size_human(p->size, size), *holders ? ", below " : "",
                     holders);
    for (size_t i = 0; i < mounts->n; i++) {
        AUTO_FREE char *before = NULL;

        if (mounts->list[i].number != p->number)
            continue;
        before = line;
        line = xasprintf("%s, at %s (%s)", before, mounts->list[i].point, mounts->list[i].type);
        break;
    }
    detail(width, "", line);
}

static void
print_hidden(const struct listed *disk, size_t width)
{
    AUTO_FREE char *hpa = drive_hidden_text(&disk->reply, false);
    AUTO_FREE char *dco = drive_hidden_text(&disk->reply, true);
    AUTO_FREE char *bridge = drive_bridge_text(&disk->reply, &disk->device);

    /* Both are unknown for the same reason. */
    if (disk->reply.ata.identified == ATA_REFUSED || disk->reply.ata.identified == ATA_FAILED)
        detail(width, "hidden sectors", hpa);
    if (disk->reply.ata.identified == ATA_ANSWERED) {
        detail(width, "HPA", hpa);
        detail(width, "DCO", dco);
    }
    if (drive_hides(&disk->reply))
        detail(width, "hidden sectors", DRIVE_HIDDEN_ADVICE);
    detail(width, "between", bridge);
}

static void
print_health(const struct listed *disk, size_t width)
{
    static const char *const locks[] = {
        [DEVICE_NOT_LOCKED] = NULL,
        [DEVICE_LOCKED_ATA] = "by an ATA password: no sector can be read until it is unlocked",
        [DEVICE_LOCKED_OPAL] = "a self-encrypting drive (OPAL): what it locks cannot be read until "
                               "it is unlocked",
    };
    AUTO_FREE char *health = disk->reply.health ? drive_health_text(disk->reply.health) : NULL;

    detail(width, "health", health);
    detail(width, "locked", locks[disk->locked]);
}

/* What the columns had no room for. */
static void
print_cut(const struct table *t, size_t row, size_t width)
{
    static const char *const names[COLUMNS] = {
        [MODEL] = "model", [SERIAL] = "serial number", [USE] = "in use"};

    for (size_t c = 0; c < COLUMNS; c++) {
        if (names[c])
            detail(width, names[c], table_cut(t, row, c));
    }
}

static void
print_details(const struct listed *disk, const struct mounts *mounts, size_t width)
{
    const struct device_identity *i = &disk->identity;
    AUTO_FREE char *usb = i->usb.there ? drive_usb_text(&i->usb) : NULL;
    AUTO_FREE char *blocker = drive_blocker_text(i);

    detail(width, "USB", usb);
    detail(width, "write blocker, known to Exhibit as", blocker);
    for (size_t k = 0; k < i->n_areas; k++) {
        AUTO_FREE char *area = drive_area_text(&i->areas[k]);

        detail(width, "also of this item", area);
    }
    print_hidden(disk, width);
    print_health(disk, width);
    for (size_t k = 0; k < disk->device.n_partitions; k++)
        print_partition(&disk->device.partitions[k], mounts, width);
}

void
devices_print_table(struct listed *const *disks, size_t n, const struct mounts *mounts)
{
    struct table *t = table_new(shape, COLUMNS);
    size_t width = terminal_width();

    for (size_t i = 0; i < n; i++)
        add_row(disks[i], t);
    table_fit(t, width);
    table_print_heading(t, stdout);
    for (size_t i = 0; i < n; i++) {
        table_print_row(t, i, stdout);
        print_cut(t, i, width);
        print_details(disks[i], mounts, width);
    }
    table_free(t);
}
