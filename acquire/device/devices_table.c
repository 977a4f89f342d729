#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "acquire/device/devices.h"
#include "acquire/device/drive_health.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"

enum column { NAME, SIZE, BUS, MODEL, SERIAL, PARTITIONS, READ_ONLY, USE, COLUMNS };

static const char *const headings[COLUMNS] = {
    "DEVICE", "SIZE", "BUS", "MODEL", "SERIAL", "PARTS", "RO", "IN USE",
};

/* Columns that may be cut, and to how little, where the terminal is too narrow. */
static const size_t least[COLUMNS] = {[MODEL] = 12, [SERIAL] = 10, [USE] = 14};

#define GAP 2
#define WIDTH_LEAST 60
#define INDENT "    "

struct row {
    char *cells[COLUMNS];
};

/* Characters, not bytes; wide ones are counted as one, which at worst misplaces a column. */
static size_t
width_of_n(const char *s, size_t bytes)
{
    size_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

static size_t
width_of(const char *s)
{
    return width_of_n(s, strlen(s));
}

/* Bytes of the first n characters. */
static size_t
bytes_of(const char *s, size_t n)
{
    size_t at = 0;

    while (s[at] && (n > 0 || ((unsigned char)s[at] & 0xc0) == 0x80)) {
        n -= ((unsigned char)s[at] & 0xc0) != 0x80;
        at++;
    }
    return at;
}

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

static char *
or_dash(char *s)
{
    if (*s)
        return s;
    free(s);
    return xstrdup("-");
}

static void
fill_row(const struct listed *disk, struct row *row)
{
    const struct device *device = &disk->device;
    char size[SIZE_TEXT_MAX];
    AUTO_FREE char *path = xasprintf("/dev/%s", device->name);

    row->cells[NAME] = text_printable(path);
    row->cells[SIZE] = xstrdup(size_human(device->size, size));
    row->cells[BUS] = or_dash(xstrdup(device->bus));
    row->cells[MODEL] = or_dash(model_text(device));
    row->cells[SERIAL] = or_dash(text_printable(device->serial));
    row->cells[PARTITIONS] =
        xasprintf("%zu%s", device->n_partitions, device->more_partitions ? "+" : "");
    row->cells[READ_ONLY] = xstrdup(device->read_only ? "yes" : "no");
    row->cells[USE] = use_text(disk);
}

/* --- widths --- */

static size_t
total_of(const size_t widths[COLUMNS])
{
    size_t n = (COLUMNS - 1) * (size_t)GAP;

    for (int c = 0; c < COLUMNS; c++)
        n += widths[c];
    return n;
}

/* The widest column that may lose one loses one, until all fits. */
static void
fit(size_t widths[COLUMNS], size_t width)
{
    for (size_t total = total_of(widths); total > width; total--) {
        int widest = -1;

        for (int c = 0; c < COLUMNS; c++) {
            if (least[c] > 0 && widths[c] > least[c] && (widest < 0 || widths[c] > widths[widest]))
                widest = c;
        }
        if (widest < 0)
            return;
        widths[widest]--;
    }
}

static void
find_widths(const struct row *rows, size_t n, size_t width, size_t widths[COLUMNS])
{
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = width_of(headings[c]);
        for (size_t i = 0; i < n; i++) {
            if (width_of(rows[i].cells[c]) > widths[c])
                widths[c] = width_of(rows[i].cells[c]);
        }
    }
    fit(widths, width);
}

/* --- printing --- */

static void
print_cell(const char *s, size_t width, bool right, bool last)
{
    size_t n = width_of(s);
    int pad = n < width ? (int)(width - n) : 0;

    if (n > width)
        (void)printf("%.*s…", (int)bytes_of(s, width - 1), s);
    else if (right)
        (void)printf("%*s%s", pad, "", s);
    else
        (void)printf("%s%*s", s, last ? 0 : pad, "");
    (void)fputs(last ? "\n" : "  ", stdout);
}

static void
print_row(const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (int c = 0; c < COLUMNS; c++)
        print_cell(cells[c], widths[c], c == SIZE || c == PARTITIONS, c == USE);
}

/* Broken between words where the terminal ends. */
static void
print_wrapped(const char *text, size_t width)
{
    size_t room = width - strlen(INDENT);
    size_t at = 0;

    (void)fputs(INDENT, stdout);
    while (*text) {
        size_t word = strcspn(text, " ");
        size_t n = width_of_n(text, word);

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
print_cut(const struct row *row, const size_t widths[COLUMNS], size_t width)
{
    static const char *const names[COLUMNS] = {
        [MODEL] = "model", [SERIAL] = "serial number", [USE] = "in use"};

    for (int c = 0; c < COLUMNS; c++) {
        if (names[c] && width_of(row->cells[c]) > widths[c])
            detail(width, names[c], row->cells[c]);
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
    AUTO_FREE struct row *rows = xcalloc(n + 1, sizeof *rows);
    size_t width = terminal_width();
    size_t widths[COLUMNS];

    for (size_t i = 0; i < n; i++)
        fill_row(disks[i], &rows[i]);
    find_widths(rows, n, width, widths);
    print_row(headings, widths);
    for (size_t i = 0; i < n; i++) {
        print_row((const char *const *)rows[i].cells, widths);
        print_cut(&rows[i], widths, width);
        print_details(disks[i], mounts, width);
        for (int c = 0; c < COLUMNS; c++)
            free(rows[i].cells[c]);
    }
}
