#include "acquire/device/device.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "acquire/device/ata_identify.h"
#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

/* The unit of "size" and "start" in sysfs, whatever the device's own sector is. */
#define SYSFS_SECTOR 512

/* SAT (T10 SAT-4, 12.4.2): the ATA Information page holds IDENTIFY DEVICE from byte 60. */
#define VPD_ATA_IDENTIFY 60
#define VPD_ATA_SIZE (VPD_ATA_IDENTIFY + ATA_BLOCK_SIZE)

#define LISTED_MAX 65536

/* The kernel's MKDEV: 20 bits of minor. */
uint32_t
device_kernel_number(dev_t number)
{
    return (uint32_t)(major(number) << 20 | minor(number));
}

dev_t
device_number_of_kernel(uint32_t number)
{
    return makedev(number >> 20, number & 0xfffff);
}

static uint64_t
bytes_of_sectors(uint64_t sectors)
{
    return sectors > UINT64_MAX / SYSFS_SECTOR ? UINT64_MAX : sectors * SYSFS_SECTOR;
}

static bool
sysfs_flag(const char *dir, const char *attribute)
{
    uint64_t value = 0;

    return sysfs_u64(dir, attribute, &value) && value != 0;
}

/* True for a directory name such as "usb2": the prefix and then digits alone. */
static bool
is_numbered(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 && name[n] != '\0' &&
           name[n + strspn(name + n, "0123456789")] == '\0';
}

/* The bus of one directory of the path, or NULL where it tells nothing. */
static const char *
bus_of_component(const char *name)
{
    static const struct {
        const char *prefix, *bus;
    } numbered[] = {{"usb", "usb"},       {"ata", "ata"},   {"host", "scsi"},
                    {"virtio", "virtio"}, {"nvme", "nvme"}, {"nvme-subsys", "nvme"}};

    if (strcmp(name, "mmc_host") == 0)
        return "mmc";
    if (strcmp(name, "virtual") == 0)
        return "virtual";
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
        if (is_numbered(name, numbered[i].prefix))
            return numbered[i].bus;
    return NULL;
}

/* From the disk upwards the first bus counts, but SCSI is only a language where it runs over USB or
   ATA. */
static void
find_bus(const char *disk_dir, struct device *out)
{
    char path[PATH_MAX];
    const char *found = "";

    (void)snprintf(path, sizeof path, "%s", disk_dir);
    while (sysfs_parent(path)) {
        const char *bus = bus_of_component(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);

        if (!bus)
            continue;
        if (!*found)
            found = bus;
        else if (strcmp(found, "scsi") == 0 && (!strcmp(bus, "usb") || !strcmp(bus, "ata")))
            found = bus;
        if (strcmp(found, "scsi") != 0)
            break;
    }
    (void)snprintf(out->bus, sizeof out->bus, "%s", found);
}

/* Unit Serial Number (SPC-5, 7.7.20): page code 80h, a big-endian length, the text. */
static void
vpd_serial(const char *dir, char *out, size_t size)
{
    unsigned char page[4 + 252];
    size_t n = sysfs_bytes(dir, "device/vpd_pg80", page, sizeof page), length;

    out[0] = '\0';
    if (n < 4 || page[1] != 0x80)
        return;
    length = (size_t)page[2] << 8 | page[3];
    sysfs_trim((const char *)page + 4, length < n - 4 ? length : n - 4, out, size);
}

/* Device Identification (SPC-5, 7.7.6): the first designator of the logical unit that is an NAA
   name. */
static void
vpd_naa(const char *dir, char *out, size_t size)
{
    unsigned char page[4096];
    size_t n = sysfs_bytes(dir, "device/vpd_pg83", page, sizeof page), end, at;

    out[0] = '\0';
    if (n < 4 || page[1] != 0x83)
        return;
    end = 4 + ((size_t)page[2] << 8 | page[3]);
    end = end < n ? end : n;
    for (at = 4; end - at >= 4; at += 4 + (size_t)page[at + 3]) {
        size_t length = page[at + 3];
        char hex[2 * 16 + 1];

        if (length > end - at - 4)
            return;
        if ((page[at + 1] & 0x3f) != 0x03 || (length != 8 && length != 16))
            continue;
        hex_encode(page + at + 4, length, hex);
        (void)snprintf(out, size, "naa.%s", hex);
        return;
    }
}

/* SCSI's INQUIRY cuts an ATA disk's model at 16 characters and its firmware at 4. */
static void
read_identify(const char *dir, struct device *out)
{
    unsigned char page[VPD_ATA_SIZE];
    struct ata_identify id;

    if (sysfs_bytes(dir, "device/vpd_pg89", page, sizeof page) < sizeof page || page[1] != 0x89 ||
        !ata_identify_parse(page + VPD_ATA_IDENTIFY, ATA_BLOCK_SIZE, &id))
        return;
    (void)snprintf(out->model, sizeof out->model, "%s", id.model);
    (void)snprintf(out->firmware, sizeof out->firmware, "%s", id.firmware);
    (void)snprintf(out->serial, sizeof out->serial, "%s", id.serial);
}

/* The value of KEY in udev's record of the disk, lines of "E:KEY=VALUE"; leaves out alone where
   there is none. */
static void
udev_text(const char *root, dev_t number, const char *key, char *out, size_t size)
{
    char path[PATH_MAX];
    AUTO_FILE FILE *f = NULL;
    AUTO_FREE char *line = NULL;
    size_t room = 0, n = strlen(key);

    if (*out)
        return;
    (void)snprintf(path, sizeof path, "%s/run/udev/data/b%u:%u", root, major(number),
                   minor(number));
    f = fopen(path, "re");
    while (f && getline(&line, &room, f) > 0) {
        if (strncmp(line, "E:", 2) != 0 || strncmp(line + 2, key, n) != 0 || line[2 + n] != '=')
            continue;
        sysfs_trim(line + 3 + n, strlen(line + 3 + n), out, size);
        return;
    }
}

/* Fills out from the first of the attributes that says something; a text that is there stays. */
static void
first_text(const char *dir, const char *const *attributes, size_t n, char *out, size_t size)
{
    for (size_t i = 0; i < n && !*out; i++)
        (void)sysfs_text(dir, attributes[i], out, size);
}

#define FIRST_TEXT(dir, out, ...)                                                                  \
    first_text((dir), (const char *const[]){__VA_ARGS__},                                          \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (out), sizeof(out))

static bool
is_unique_name(const char *wwn)
{
    return strncmp(wwn, "naa.", 4) == 0 || strncmp(wwn, "eui.", 4) == 0 ||
           strncmp(wwn, "uuid.", 5) == 0;
}

static void
find_wwn(const char *root, const char *dir, struct device *out)
{
    char fallback[DEVICE_TEXT_MAX] = "";

    FIRST_TEXT(dir, out->wwn, "wwid", "device/wwid");
    if (is_unique_name(out->wwn))
        return;
    /* "t10.…" is the vendor, the model and the serial once more: better than nothing. */
    memcpy(fallback, out->wwn, sizeof fallback);
    vpd_naa(dir, out->wwn, sizeof out->wwn);
    udev_text(root, out->disk_number, "ID_WWN_WITH_EXTENSION", out->wwn, sizeof out->wwn);
    udev_text(root, out->disk_number, "ID_WWN", out->wwn, sizeof out->wwn);
    if (!*out->wwn)
        memcpy(out->wwn, fallback, sizeof out->wwn);
}

static void
read_identity(const char *root, const char *dir, struct device *out)
{
    char usb[PATH_MAX];
    bool on_usb = sysfs_usb_ancestor(root, dir, usb);

    read_identify(dir, out);
    /* A virtio disk's "vendor" is the PCI vendor of its controller. */
    if (strcmp(out->bus, "virtio") != 0)
        FIRST_TEXT(dir, out->vendor, "device/vendor");
    FIRST_TEXT(dir, out->model, "device/model", "device/name");
    FIRST_TEXT(dir, out->firmware, "device/rev", "device/firmware_rev", "device/fwrev");
    FIRST_TEXT(dir, out->serial, "device/serial", "serial");
    if (!*out->serial)
        vpd_serial(dir, out->serial, sizeof out->serial);
    udev_text(root, out->disk_number, "ID_SERIAL_SHORT", out->serial, sizeof out->serial);
    if (on_usb) {
        FIRST_TEXT(usb, out->serial, "serial");
        FIRST_TEXT(usb, out->vendor, "manufacturer");
        FIRST_TEXT(usb, out->model, "product");
    }
    find_wwn(root, dir, out);
}

static int
compare_partitions(const void *a, const void *b)
{
    return strverscmp(((const struct device_partition *)a)->name,
                      ((const struct device_partition *)b)->name);
}

static void
read_partitions(const char *disk_dir, struct device *out)
{
    AUTO_DIR DIR *d = opendir(disk_dir);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        char dir[PATH_MAX];
        uint64_t start = 0, size = 0;
        struct device_partition *p;
        dev_t number;

        if (e->d_name[0] == '.' ||
            (size_t)snprintf(dir, sizeof dir, "%s/%s", disk_dir, e->d_name) >= sizeof dir ||
            !sysfs_has(dir, "partition") || !sysfs_number(dir, &number))
            continue;
        if (out->n_partitions == DEVICE_PARTITIONS_MAX) {
            out->more_partitions = true;
            break;
        }
        (void)sysfs_u64(dir, "start", &start);
        (void)sysfs_u64(dir, "size", &size);
        p = &out->partitions[out->n_partitions++];
        p->number = number;
        p->start = bytes_of_sectors(start);
        p->size = bytes_of_sectors(size);
        sysfs_kernel_name(dir, p->name, sizeof p->name);
    }
    qsort(out->partitions, out->n_partitions, sizeof *out->partitions, compare_partitions);
}

static void
read_geometry(const char *dir, const char *disk_dir, struct device *out)
{
    uint64_t value = 0;

    if (sysfs_u64(dir, "size", &value))
        out->size = bytes_of_sectors(value);
    out->logical_sector_size = SYSFS_SECTOR;
    if (sysfs_u64(disk_dir, "queue/logical_block_size", &value) && value && value <= UINT32_MAX)
        out->logical_sector_size = (uint32_t)value;
    out->physical_sector_size = out->logical_sector_size;
    if (sysfs_u64(disk_dir, "queue/physical_block_size", &value) && value && value <= UINT32_MAX)
        out->physical_sector_size = (uint32_t)value;
    out->read_only = sysfs_flag(dir, "ro");
    out->removable = sysfs_flag(disk_dir, "removable");
    out->rotational = sysfs_flag(disk_dir, "queue/rotational");
    (void)sysfs_u64(disk_dir, "diskseq", &out->diskseq);
}

int
device_read_at(const char *root, dev_t number, struct device *out, struct err *err)
{
    char dir[PATH_MAX], disk_dir[PATH_MAX];

    memset(out, 0, sizeof *out);
    if (!sysfs_block_dir(root, number, dir))
        return err_set(err, OUTCOME_FAILED, "there is no block device %u:%u", major(number),
                       minor(number));
    memcpy(disk_dir, dir, sizeof disk_dir);
    out->number = out->disk_number = number;
    out->is_partition = sysfs_has(dir, "partition");
    if (out->is_partition &&
        (!sysfs_parent(disk_dir) || !sysfs_number(disk_dir, &out->disk_number)))
        return err_set(err, OUTCOME_FAILED, "cannot find the disk of partition %u:%u",
                       major(number), minor(number));
    sysfs_kernel_name(dir, out->name, sizeof out->name);
    sysfs_kernel_name(disk_dir, out->disk_name, sizeof out->disk_name);
    read_geometry(dir, disk_dir, out);
    find_bus(disk_dir, out);
    read_identity(root, disk_dir, out);
    (void)sysfs_text(disk_dir, "loop/backing_file", out->backing_file, sizeof out->backing_file);
    read_partitions(disk_dir, out);
    return 0;
}

struct listed {
    char name[256];
    dev_t number;
};

static int
compare_listed(const void *a, const void *b)
{
    return strverscmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

/* Memory dressed up as a disk is nothing to image; nor is a drive without a medium. */
static bool
is_listed(const char *dir, const char *name, struct listed *out)
{
    uint64_t size = 0;

    if (is_numbered(name, "ram") || is_numbered(name, "zram"))
        return false;
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    return sysfs_number(dir, &out->number) && sysfs_u64(dir, "size", &size) && size > 0;
}

int
device_list_at(const char *root, dev_t **out, size_t *n, struct err *err)
{
    char top[PATH_MAX];
    AUTO_DIR DIR *d = NULL;
    AUTO_FREE struct listed *list = NULL;
    const struct dirent *e;
    size_t used = 0;

    (void)snprintf(top, sizeof top, "%s/sys/block", root);
    if (!(d = opendir(top)))
        return err_errno(err, "cannot list '%s'; is sysfs mounted?", top);
    while (used < LISTED_MAX && (e = readdir(d))) {
        char dir[PATH_MAX];
        struct listed one;

        if (e->d_name[0] == '.' ||
            (size_t)snprintf(dir, sizeof dir, "%s/%s", top, e->d_name) >= sizeof dir ||
            !is_listed(dir, e->d_name, &one))
            continue;
        list = xrealloc(list, used + 1, sizeof *list);
        list[used++] = one;
    }
    if (used)
        qsort(list, used, sizeof *list, compare_listed);
    *out = xcalloc(used + 1, sizeof **out);
    for (size_t i = 0; i < used; i++)
        (*out)[i] = list[i].number;
    *n = used;
    return 0;
}

int
device_read(dev_t number, struct device *out, struct err *err)
{
    return device_read_at("", number, out, err);
}

int
device_list(dev_t **out, size_t *n, struct err *err)
{
    return device_list_at("", out, n, err);
}
