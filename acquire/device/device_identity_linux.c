#include "acquire/device/device_identity.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

#define SYSFS_SECTOR 512
/* The unit of an eMMC's replay-protected area (JESD84-B51, 7.4.77). */
#define RPMB_UNIT (128u << 10)

/* --- makers of write blockers --- */

/* Vendor numbers of USB, and of some of their devices, as the USB ID database has them. */
static const struct {
    uint16_t vendor, product; /* product 0: any */
    const char *maker, *model;
} blocker_ids[] = {
    {0x13D7, 0x0001, "Tableau (Guidance Software, OpenText)", "T5"},
    {0x13D7, 0x000C, "Tableau (Guidance Software, OpenText)", "T8-R2"},
    {0x13D7, 0, "Tableau (Guidance Software, OpenText)", NULL},
    {0x0E90, 0, "WiebeTech (CRU)", NULL},
};

/* What they call themselves in USB's texts and in SCSI's vendor and model, without regard to case.
   A short name counts only where it is all of the text. */
static const struct {
    const char *text;
    bool whole;
    const char *maker;
} blocker_names[] = {
    {"tableau", false, "Tableau (Guidance Software, OpenText)"},
    {"guidance software", false, "Tableau (Guidance Software, OpenText)"},
    {"wiebetech", false, "WiebeTech (CRU)"},
    {"cru-dataport", false, "WiebeTech (CRU)"},
    {"cru", true, "WiebeTech (CRU)"},
    {"digital intelligence", false, "Digital Intelligence"},
    {"ultrablock", false, "Digital Intelligence"},
    {"logicube", false, "Logicube"},
    {"coolgear write", false, "CoolGear"},
    {"writeblock", false, "a maker that calls it a write blocker"},
    {"write block", false, "a maker that calls it a write blocker"},
    {"write-block", false, "a maker that calls it a write blocker"},
};

static bool
holds_nocase(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text; text++) {
        if (strncasecmp(text, part, n) == 0)
            return true;
    }
    return false;
}

static const char *
maker_of_text(const char *text)
{
    for (size_t i = 0; i < sizeof blocker_names / sizeof blocker_names[0]; i++) {
        if (blocker_names[i].whole ? text_equal_nocase(text, blocker_names[i].text)
                                   : holds_nocase(text, blocker_names[i].text))
            return blocker_names[i].maker;
    }
    return NULL;
}

static void
find_blocker(const struct device *device, struct device_identity *out)
{
    const char *const texts[] = {device->vendor, device->model, out->usb.manufacturer,
                                 out->usb.product_name};

    for (size_t i = 0; out->usb.there && i < sizeof blocker_ids / sizeof blocker_ids[0]; i++) {
        if (blocker_ids[i].vendor != out->usb.vendor ||
            (blocker_ids[i].product != 0 && blocker_ids[i].product != out->usb.product))
            continue;
        out->blocker = blocker_ids[i].maker;
        out->blocker_model = blocker_ids[i].model;
        return;
    }
    for (size_t i = 0; !out->blocker && i < sizeof texts / sizeof texts[0]; i++)
        out->blocker = maker_of_text(texts[i]);
}

/* --- USB --- */

static uint16_t
hex_number(const char *dir, const char *attribute)
{
    char text[16];
    unsigned long v;
    char *end;

    if (!sysfs_text(dir, attribute, text, sizeof text) || !isxdigit((unsigned char)text[0]))
        return 0;
    v = strtoul(text, &end, 16);
    return *end || v > UINT16_MAX ? 0 : (uint16_t)v;
}

static void
read_usb(const char *dir, struct device_usb *out)
{
    out->there = true;
    out->vendor = hex_number(dir, "idVendor");
    out->product = hex_number(dir, "idProduct");
    sysfs_kernel_name(dir, out->port, sizeof out->port);
    (void)sysfs_text(dir, "manufacturer", out->manufacturer, sizeof out->manufacturer);
    (void)sysfs_text(dir, "product", out->product_name, sizeof out->product_name);
    (void)sysfs_text(dir, "serial", out->serial, sizeof out->serial);
    (void)sysfs_text(dir, "speed", out->speed, sizeof out->speed);
}

/* --- other areas of the same item --- */

enum item { ITEM_NONE, ITEM_MMC, ITEM_NVME, ITEM_SCSI, ITEM_USB };

/* "mmc0:0001", "nvme0", "nvme-subsys0", "target6:0:0": the directory that is the item. */
static enum item
item_of_name(const char *name)
{
    if (strncmp(name, "mmc", 3) == 0 && isdigit((unsigned char)name[3]) && strchr(name, ':'))
        return ITEM_MMC;
    if (strncmp(name, "nvme-subsys", 11) == 0 && isdigit((unsigned char)name[11]))
        return ITEM_NVME;
    if (strncmp(name, "nvme", 4) == 0 && isdigit((unsigned char)name[4]) &&
        name[4 + strspn(name + 4, "0123456789")] == '\0')
        return ITEM_NVME;
    if (strncmp(name, "target", 6) == 0 && isdigit((unsigned char)name[6]))
        return ITEM_SCSI;
    return ITEM_NONE;
}

/* The directory of the item that the disk is (a part of), cut from the disk's own. */
static enum item
find_item(const char *root, const char *disk_dir, char item[PATH_MAX])
{
    if (sysfs_usb_ancestor(root, disk_dir, item))
        return ITEM_USB;
    (void)snprintf(item, PATH_MAX, "%s", disk_dir);
    while (sysfs_parent(item)) {
        const char *slash = strrchr(item, '/');
        enum item kind = item_of_name(slash ? slash + 1 : item);

        if (kind != ITEM_NONE)
            return kind;
    }
    return ITEM_NONE;
}

static bool
is_below(const char *dir, const char *top)
{
    size_t n = strlen(top);

    return strncmp(dir, top, n) == 0 && dir[n] == '/';
}

static const char *
kind_of_area(enum item item, const char *name)
{
    if (item == ITEM_NVME)
        return "NVMe namespace";
    if (item != ITEM_MMC)
        return "logical unit";
    if (strstr(name, "boot"))
        return "eMMC boot area";
    if (strstr(name, "rpmb"))
        return "eMMC replay-protected area (RPMB)";
    return strstr(name, "gp") ? "eMMC general-purpose area" : "eMMC user area";
}

static void
add_area(struct device_identity *out, const char *name, const char *kind, uint64_t size)
{
    struct device_area *a = &out->areas[out->n_areas];

    if (out->n_areas == DEVICE_AREAS_MAX) {
        out->more_areas = true;
        return;
    }
    (void)snprintf(a->name, sizeof a->name, "%s", name);
    a->kind = kind;
    a->size = size;
    out->n_areas++;
}

/* Every other disk below the item's directory. A path of a multipath namespace ("nvme0c1n1") is the
   namespace itself once more, and hidden. */
static void
add_disks(const char *root, const char *disk_dir, enum item item, const char *item_dir,
          struct device_identity *out)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    const struct dirent *e;

    (void)snprintf(top, sizeof top, "%s/sys/block", root);
    d = opendir(top);
    while (d && (e = readdir(d))) {
        char path[PATH_MAX];
        char dir[PATH_MAX];
        char name[DEVICE_TEXT_MAX];
        uint64_t size = 0;
        uint64_t hidden = 0;

        if (e->d_name[0] == '.' ||
            (size_t)snprintf(path, sizeof path, "%s/%s", top, e->d_name) >= sizeof path ||
            !realpath(path, dir) || strcmp(dir, disk_dir) == 0 || !is_below(dir, item_dir) ||
            (sysfs_u64(dir, "hidden", &hidden) && hidden != 0))
            continue;
        (void)sysfs_u64(dir, "size", &size);
        sysfs_kernel_name(dir, name, sizeof name);
        add_area(out, name, kind_of_area(item, name),
                 size > UINT64_MAX / SYSFS_SECTOR ? 0 : size * SYSFS_SECTOR);
    }
}

/* The replay-protected area is a character device: its directory stands in the card's. */
static void
add_rpmb(const char *card, struct device_identity *out)
{
    AUTO_DIR DIR *d = opendir(card);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        uint64_t units = 0;
        char text[16];

        if (strncmp(e->d_name, "mmcblk", 6) != 0 || !strstr(e->d_name, "rpmb"))
            continue;
        if (sysfs_text(card, "raw_rpmb_size_mult", text, sizeof text))
            units = strtoul(text, NULL, 0) & 0xff;
        add_area(out, e->d_name, kind_of_area(ITEM_MMC, e->d_name), units * RPMB_UNIT);
    }
}

static int
compare_areas(const void *a, const void *b)
{
    return strverscmp(((const struct device_area *)a)->name, ((const struct device_area *)b)->name);
}

static void
find_areas(const char *root, const char *disk_dir, struct device_identity *out)
{
    char item_dir[PATH_MAX];
    enum item item = find_item(root, disk_dir, item_dir);

    if (item == ITEM_NONE)
        return;
    add_disks(root, disk_dir, item, item_dir, out);
    if (item == ITEM_MMC)
        add_rpmb(item_dir, out);
    qsort(out->areas, out->n_areas, sizeof out->areas[0], compare_areas);
}

void
device_identity_read_at(const char *root, const struct device *device, struct device_identity *out)
{
    char disk_dir[PATH_MAX];
    char usb[PATH_MAX];
    uint64_t discard = 0;

    memset(out, 0, sizeof *out);
    if (!sysfs_block_dir(root, device->disk_number, disk_dir))
        return;
    if (sysfs_usb_ancestor(root, disk_dir, usb))
        read_usb(usb, &out->usb);
    out->discards = sysfs_u64(disk_dir, "queue/discard_max_hw_bytes", &discard) && discard > 0;
    find_areas(root, disk_dir, out);
    find_blocker(device, out);
}

void
device_identity_read(const struct device *device, struct device_identity *out)
{
    device_identity_read_at("", device, out);
}
