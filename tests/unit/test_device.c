#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "acquire/device/ata_identify.h"
#include "acquire/device/device.h"
#include "acquire/device/device_sysfs.h"
#include "acquire/front/inhibit.h"
#include "acquire/front/thermometer.h"

/* --- a machine made of files -------------------------------------------------------------------
 */

static char root[PATH_MAX];

static void
make_parents(const char *path)
{
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof dir, "%s", path);
    for (char *p = dir + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
            *p = '/';
        }
}

static void
put_bytes(const char *path, const void *data, size_t n)
{
    char full[PATH_MAX];
    FILE *f;

    (void)snprintf(full, sizeof full, "%s%s", root, path);
    make_parents(full);
    f = fopen(full, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void
put(const char *dir, const char *attribute, const char *text)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", dir, attribute);
    put_bytes(path, text, strlen(text));
}

static void
put_link(const char *dir, const char *name, const char *target)
{
    char path[PATH_MAX], full_target[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s%s/%s", root, dir, name);
    (void)snprintf(full_target, sizeof full_target, "%s%s", root, target);
    make_parents(path);
    assert_int_equal(symlink(full_target, path), 0);
}

/* A whole disk: `dir` is its place in /sys/devices. */
static void
put_disk(const char *dir, const char *number, const char *sectors)
{
    char line[64];

    (void)snprintf(line, sizeof line, "%s\n", number);
    put(dir, "dev", line);
    put(dir, "size", sectors);
    put_link("/sys/dev/block", number, dir);
    put_link("/sys/block", strrchr(dir, '/') + 1, dir);
}

static void
put_partition(const char *dir, const char *number, const char *start, const char *sectors)
{
    put(dir, "dev", number);
    put(dir, "partition", "1\n");
    put(dir, "start", start);
    put(dir, "size", sectors);
    put_link("/sys/dev/block", number, dir);
}

#define ATA "/sys/devices/pci0/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"
#define SDA ATA "/block/sda"
#define USB "/sys/devices/pci0/0000:00:14.0/usb2/2-1"
#define SDB USB "/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb"
#define NVME "/sys/devices/pci0/0000:01:00.0/nvme/nvme0"
#define NVME0N1 NVME "/nvme0n1"
#define VDA "/sys/devices/pci0/0000:00:02.0/virtio1/block/vda"
#define MMC "/sys/devices/platform/mmc_host/mmc0/mmc0:0001"
#define MMCBLK0 MMC "/block/mmcblk0"
#define LOOP10 "/sys/devices/virtual/block/loop10"
#define LOOP9 "/sys/devices/virtual/block/loop9"
#define DM0 "/sys/devices/virtual/block/dm-0"
#define MD0 "/sys/devices/virtual/block/md0"

static void
put_identify_word_text(unsigned char *page, size_t at, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        page[60 + at + (i ^ 1)] = (unsigned char)(i < strlen(text) ? text[i] : ' ');
}

static void
build_ata(void)
{
    static const unsigned char pg83[] = {0, 0x83, 0, 20, 2,    0, 0,    4, 'x',  'y',  'z',  ' ',
                                         1, 3,    0, 8,  0x50, 0, 0xc5, 0, 0xa1, 0xb2, 0xc3, 0xd4};
    unsigned char pg89[60 + 512] = {0, 0x89, 2, 0x38};

    put_disk(SDA, "8:0", "2048\n");
    put(SDA, "ro", "1\n");
    put(SDA, "diskseq", "17\n");
    put(SDA, "queue/logical_block_size", "512\n");
    put(SDA, "queue/physical_block_size", "4096\n");
    put(SDA, "queue/rotational", "1\n");
    put_link(SDA, "device", ATA);
    put(ATA, "vendor", "ATA     \n");
    put(ATA, "model", "ST4000DM000-1F21\n");
    put(ATA, "rev", "CC54\n");
    put_identify_word_text(pg89, 54, "ST4000DM000-1F2168 LONG NAME", 40);
    put_identify_word_text(pg89, 46, "CC54EXTR", 8);
    put_identify_word_text(pg89, 20, "    Z305ABCD", 20);
    put_bytes(ATA "/vpd_pg89", pg89, sizeof pg89);
    put_bytes(ATA "/vpd_pg83", pg83, sizeof pg83);
    put_partition(SDA "/sda1", "8:1", "8\n", "100\n");
    put_partition(SDA "/sda2", "8:2", "108\n", "1000\n");
    put_partition(SDA "/sda10", "8:10", "1108\n", "10\n");
    /* a directory that is no partition */
    put(SDA, "holders/.keep", "");
}

static void
build_others(void)
{
    static const unsigned char pg80[] = {0,   0x80, 0,   7,   ' ', ' ', 'S',
                                         'E', 0xff, 'R', ' ', 'X', 'X'};

    put_disk(SDB, "8:16", "4096\n");
    put_link(SDB, "device", USB "/2-1:1.0/host6/target6:0:0/6:0:0:0");
    put(SDB, "removable", "1\n");
    put(SDB "/device", "vendor", "SanDisk \n");
    put(SDB "/device", "model", "Ultra\n");
    put(USB, "idVendor", "0781\n");
    put(USB, "serial", "4C5300012345\n");
    put(USB, "power/control", "auto\n");
    put("/sys/devices/pci0/0000:00:14.0/usb2", "idVendor", "1d6b\n");
    put("/sys/devices/pci0/0000:00:14.0/usb2", "serial", "0000:00:14.0\n");

    put_disk(NVME0N1, "259:0", "1000\n");
    put_link(NVME0N1, "device", NVME);
    put(NVME0N1, "wwid", "eui.0025388b01234567\n");
    put(NVME, "serial", "S3Z8NB0K\n");
    put(NVME, "model", "Samsung SSD 960\n");
    put(NVME, "firmware_rev", "3B7QCXE7\n");

    put_disk(VDA, "254:0", "1000\n");
    put(VDA, "serial", "virt-1\n");
    put(VDA, "device/vendor", "0x1af4\n");

    put_disk(MMCBLK0, "179:0", "1000\n");
    put_link(MMCBLK0, "device", MMC);
    put(MMC, "name", "SD32G\n");
    put(MMC, "serial", "0x1a2b3c4d\n");
    put(MMC, "fwrev", "0x0\n");

    put_disk(LOOP10, "7:10", "16\n");
    put(LOOP10, "loop/backing_file", "/cases/a b.img\n");
    put_disk(LOOP9, "7:9", "0\n");
    put_disk("/sys/devices/virtual/block/zram0", "253:0", "1000\n");
    put_disk("/sys/devices/virtual/block/ram0", "1:0", "1000\n");

    /* SCSI with a serial that is no UTF-8, followed by bytes that its length leaves out */
    put_disk("/sys/devices/pci0/host2/target2:0:0/2:0:0:0/block/sdc", "8:32", "10\n");
    put_bytes("/sys/devices/pci0/host2/target2:0:0/2:0:0:0/block/sdc/device/vpd_pg80", pg80,
              sizeof pg80);
    put("/run/udev/data", "b8:32", "S:disk/by-id/x\nE:ID_SERIAL_SHORT=no\nE:ID_WWN=0x5000abc\n");
}

static int
setup(void **state)
{
    (void)state;
    if (scratch_enter(NULL) != 0 || !getcwd(root, sizeof root))
        return -1;
    return 0;
}

static int
teardown(void **state)
{
    return scratch_leave(state);
}

/* Each test has its own machine. */
static int
fresh(void **state)
{
    static int n;
    size_t used;

    (void)state;
    if (!getcwd(root, sizeof root))
        return -1;
    used = strlen(root);
    (void)snprintf(root + used, sizeof root - used, "/machine%d", n++);
    build_ata();
    build_others();
    put("/proc/self", "mountinfo", "");
    put("/proc", "swaps", "Filename Type Size Used Priority\n");
    return 0;
}

static struct device device;

static void
read_device(unsigned major_number, unsigned minor_number)
{
    struct err err = ERR_INIT;

    assert_int_equal(device_read_at(root, makedev(major_number, minor_number), &device, &err), 0);
}

/* --- what a device is --------------------------------------------------------------------------
 */

static void
test_ata(void **state)
{
    (void)state;
    read_device(8, 0);
    assert_string_equal(device.name, "sda");
    assert_string_equal(device.disk_name, "sda");
    assert_false(device.is_partition);
    assert_int_equal(device.size, 2048 * 512);
    assert_int_equal(device.logical_sector_size, 512);
    assert_int_equal(device.physical_sector_size, 4096);
    assert_true(device.read_only);
    assert_true(device.rotational);
    assert_false(device.removable);
    assert_int_equal(device.diskseq, 17);
    assert_string_equal(device.bus, "ata");
    assert_string_equal(device.vendor, "ATA");
    assert_string_equal(device.model, "ST4000DM000-1F2168 LONG NAME");
    assert_string_equal(device.firmware, "CC54EXTR");
    assert_string_equal(device.serial, "Z305ABCD");
    assert_string_equal(device.wwn, "naa.5000c500a1b2c3d4");
    assert_int_equal(device.n_partitions, 3);
    assert_string_equal(device.partitions[0].name, "sda1");
    assert_string_equal(device.partitions[1].name, "sda2");
    assert_string_equal(device.partitions[2].name, "sda10");
    assert_int_equal(device.partitions[1].start, 108 * 512);
    assert_int_equal(device.partitions[1].size, 1000 * 512);
    assert_true(device.partitions[1].number == makedev(8, 2));
}

static void
test_partition(void **state)
{
    (void)state;
    read_device(8, 2);
    assert_true(device.is_partition);
    assert_string_equal(device.name, "sda2");
    assert_string_equal(device.disk_name, "sda");
    assert_true(device.disk_number == makedev(8, 0));
    assert_int_equal(device.size, 1000 * 512);
    assert_false(device.read_only);
    assert_string_equal(device.serial, "Z305ABCD");
    assert_int_equal(device.n_partitions, 3);
}

static void
test_other_buses(void **state)
{
    (void)state;
    read_device(8, 16);
    assert_string_equal(device.bus, "usb");
    assert_string_equal(device.serial, "4C5300012345");
    assert_string_equal(device.vendor, "SanDisk");
    assert_true(device.removable);
    read_device(259, 0);
    assert_string_equal(device.bus, "nvme");
    assert_string_equal(device.serial, "S3Z8NB0K");
    assert_string_equal(device.firmware, "3B7QCXE7");
    assert_string_equal(device.wwn, "eui.0025388b01234567");
    read_device(254, 0);
    assert_string_equal(device.bus, "virtio");
    assert_string_equal(device.serial, "virt-1");
    assert_string_equal(device.vendor, "");
    read_device(179, 0);
    assert_string_equal(device.bus, "mmc");
    assert_string_equal(device.model, "SD32G");
    assert_string_equal(device.serial, "0x1a2b3c4d");
    read_device(7, 10);
    assert_string_equal(device.bus, "virtual");
    assert_string_equal(device.backing_file, "/cases/a b.img");
    read_device(8, 32);
    assert_string_equal(device.bus, "scsi");
    assert_string_equal(device.serial, "SE\xffR");
    assert_string_equal(device.wwn, "0x5000abc");
}

static void
test_hostile_pages(void **state)
{
    struct rng rng = rng_start("hostile pages");

    (void)state;
    for (int i = 0; i < 300; i++) {
        unsigned char page[600];
        size_t n = rng_below(&rng, sizeof page);

        for (size_t k = 0; k < n; k++)
            page[k] = (unsigned char)rng_next(&rng);
        if (n > 3) {
            page[1] = 0x83;
            page[2] &= 3;
        }
        put_bytes(ATA "/vpd_pg83", page, n);
        if (n > 3)
            page[1] = 0x80;
        put_bytes(ATA "/vpd_pg80", page, n);
        if (n > 3)
            page[1] = 0x89;
        put_bytes(ATA "/vpd_pg89", page, n);
        read_device(8, 0);
    }
}

static void
test_missing(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(device_read_at(root, makedev(9, 9), &device, &err), -1);
    assert_non_null(strstr(err.text, "9:9"));
}

static void
test_list(void **state)
{
    struct err err = ERR_INIT;
    dev_t *list;
    size_t n;

    (void)state;
    assert_int_equal(device_list_at(root, &list, &n, &err), 0);
    /* loop9 is empty; ram0 and zram0 are memory */
    assert_int_equal(n, 7);
    assert_true(list[0] == makedev(7, 10));
    assert_true(list[1] == makedev(179, 0));
    assert_true(list[2] == makedev(259, 0));
    assert_true(list[3] == makedev(8, 0));
    assert_true(list[6] == makedev(254, 0));
    free(list);
}

/* --- who uses it -------------------------------------------------------------------------------
 */

static void
expect_use(enum device_use use, const char *reason)
{
    char why[512];

    read_device(8, 0);
    assert_int_equal(device_in_use_at(root, &device, why, sizeof why), use);
    assert_string_equal(why, reason);
}

static void
test_unused(void **state)
{
    (void)state;
    put("/proc/self", "mountinfo", "22 1 8:16 / /mnt rw - ext4 /dev/sdb rw\n");
    expect_use(DEVICE_FREE, "");
}

static void
test_mounted(void **state)
{
    (void)state;
    put("/proc/self", "mountinfo",
        "not a mount\n22 1 8:1 / /mnt/a\\040b\\134 rw,x shared:1 master:2 - ext4 /dev/sda1 rw\n");
    expect_use(DEVICE_BUSY, "mounted at /mnt/a b\\");
}

static void
test_mounted_elsewhere(void **state)
{
    (void)state;
    put("/proc/1", "mountinfo", "22 1 8:2 / /media/x rw - ext4 /dev/sda2 rw\n");
    expect_use(DEVICE_BUSY, "mounted at /media/x");
}

static void
test_system(void **state)
{
    static const char *const points[] = {"/", "/boot/efi", "/usr", "/var", "/etc/hosts", "/home"};

    (void)state;
    for (size_t i = 0; i < COUNT(points); i++) {
        char table[256], why[256];

        (void)snprintf(table, sizeof table,
                       "22 1 8:1 / /mnt rw - ext4 /dev/sda1 rw\n23 1 8:2 / %s rw - ext4 x rw\n",
                       points[i]);
        put("/proc/self", "mountinfo", table);
        (void)snprintf(why, sizeof why, "mounted at %s", points[i]);
        expect_use(DEVICE_SYSTEM, why);
    }
    put("/proc/self", "mountinfo", "22 1 8:1 / /home/anna/usb rw - ext4 /dev/sda1 rw\n");
    expect_use(DEVICE_BUSY, "mounted at /home/anna/usb");
    put("/proc/self", "mountinfo", "22 1 8:1 / /etcetera rw - ext4 /dev/sda1 rw\n");
    expect_use(DEVICE_BUSY, "mounted at /etcetera");
}

/* LVM on RAID on a partition, and a circle that no kernel should make. */
static void
put_stack(void)
{
    put_disk(MD0, "9:0", "1000\n");
    put_partition(MD0 "/md0p1", "259:5", "8\n", "100\n");
    put_disk(DM0, "252:0", "1000\n");
    put(DM0, "dm/name", "vg-data\n");
    put_link(SDA "/sda2/holders", "md0", MD0);
    put_link(MD0 "/slaves", "sda2", SDA "/sda2");
    put_link(MD0 "/md0p1/holders", "dm-0", DM0);
    put_link(DM0 "/slaves", "md0p1", MD0 "/md0p1");
    put_link(DM0 "/holders", "sda", SDA);
    put_link(SDA "/slaves", "dm-0", DM0);
}

static void
test_held(void **state)
{
    (void)state;
    put_stack();
    expect_use(DEVICE_BUSY, "sda2 is held by md0");
    put("/proc/self", "mountinfo", "22 1 252:0 / /data rw - xfs /dev/mapper/vg-data rw\n");
    expect_use(DEVICE_BUSY, "mounted at /data");
    put("/proc/self", "mountinfo", "22 1 252:0 / / rw - xfs /dev/mapper/vg-data rw\n");
    expect_use(DEVICE_SYSTEM, "mounted at /");
}

static void
test_mapped_name(void **state)
{
    (void)state;
    put_disk(DM0, "252:0", "1000\n");
    put(DM0, "dm/name", "luks-1\n");
    put_link(SDA "/sda1/holders", "dm-0", DM0);
    expect_use(DEVICE_BUSY, "sda1 is held by dm-0 (luks-1)");
}

static void
test_btrfs_member(void **state)
{
    (void)state;
    put_link("/sys/fs/btrfs/0-1-2/devices", "sda1", SDA "/sda1");
    expect_use(DEVICE_BUSY, "part of a mounted btrfs");
}

static void
test_swap(void **state)
{
    char node[PATH_MAX];

    (void)state;
    (void)snprintf(node, sizeof node, "%s/dev/sda2", root);
    make_parents(node);
    if (mknod(node, S_IFBLK | 0600, makedev(8, 2)) != 0) {
        print_message("SKIP: no right to make device nodes\n");
        skip();
    }
    put("/proc", "swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
    expect_use(DEVICE_SYSTEM, "sda2 is swap");
}

static bool
holds(unsigned major_number, unsigned minor_number)
{
    return device_holds_number_at(root, &device, makedev(major_number, minor_number));
}

static void
test_holds(void **state)
{
    (void)state;
    put_stack();
    read_device(8, 1);
    assert_true(holds(8, 0));
    assert_true(holds(8, 10));
    assert_true(holds(252, 0));
    assert_true(holds(259, 5));
    assert_false(holds(8, 16));
    assert_false(holds(7, 10));
    assert_false(holds(99, 99));
    read_device(252, 0);
    assert_true(holds(252, 0));
    read_device(259, 0);
    assert_false(holds(8, 1));
}

/* --- loop devices and the files behind them ------------------------------------------------------
 */

#define LOOP11 "/sys/devices/virtual/block/loop11"

static int
open_in_root(const char *path)
{
    char full[PATH_MAX];
    int fd;

    (void)snprintf(full, sizeof full, "%s%s", root, path);
    fd = open(full, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void
expect_file_use(const char *path, enum device_use use, const char *reason)
{
    char why[512];
    int fd = open_in_root(path);

    assert_int_equal(file_in_use_at(root, fd, why, sizeof why), use);
    assert_string_equal(why, reason);
    assert_int_equal(close(fd), 0);
}

static void
test_file_in_use(void **state)
{
    (void)state;
    put_bytes("/cases/a b.img", "x", 1);
    put_bytes("/cases/c.img", "x", 1);
    expect_file_use("/cases/c.img", DEVICE_FREE, "");
    expect_file_use("/cases/a b.img", DEVICE_BUSY, "attached as /dev/loop10");
    put(LOOP10, "ro", "1\n");
    expect_file_use("/cases/a b.img", DEVICE_FREE, "");
    put("/proc/self", "mountinfo", "22 1 7:10 / /mnt ro - ext4 /dev/loop10 ro\n");
    expect_file_use("/cases/a b.img", DEVICE_BUSY, "attached as /dev/loop10");
    put("/proc/self", "mountinfo", "");
    put_link(LOOP10 "/holders", "dm-0", DM0);
    put_disk(DM0, "252:0", "1000\n");
    expect_file_use("/cases/a b.img", DEVICE_BUSY, "attached as /dev/loop10");
}

static bool
file_holds(const char *path, unsigned major_number, unsigned minor_number)
{
    int fd = open_in_root(path);
    bool held = file_holds_number_at(root, fd, makedev(major_number, minor_number));

    assert_int_equal(close(fd), 0);
    return held;
}

static void
test_file_holds(void **state)
{
    (void)state;
    put_bytes("/cases/a b.img", "x", 1);
    put_bytes("/cases/c.img", "x", 1);
    put_disk(DM0, "252:0", "1000\n");
    put_link(DM0 "/slaves", "loop10", LOOP10);
    assert_true(file_holds("/cases/a b.img", 7, 10));
    assert_true(file_holds("/cases/a b.img", 252, 0));
    assert_false(file_holds("/cases/a b.img", 8, 1));
    assert_false(file_holds("/cases/c.img", 252, 0));
    /* a loop device whose file cannot be found might be on any */
    put(LOOP10, "loop/backing_file", "/cases/gone.img (deleted)\n");
    assert_true(file_holds("/cases/c.img", 252, 0));
    assert_false(file_holds("/cases/c.img", 8, 1));
}

static void
test_two_loops(void **state)
{
    char why[512];

    (void)state;
    put_bytes("/cases/a b.img", "x", 1);
    put_disk(LOOP11, "7:11", "16\n");
    put(LOOP11, "loop/backing_file", "/cases/a b.img\n");
    read_device(7, 10);
    assert_true(holds(7, 11));
    assert_int_equal(device_in_use_at(root, &device, why, sizeof why), DEVICE_FREE);
    put("/proc/self", "mountinfo", "22 1 7:11 / /mnt rw - ext4 /dev/loop11 rw\n");
    assert_int_equal(device_in_use_at(root, &device, why, sizeof why), DEVICE_BUSY);
    assert_string_equal(why, "mounted at /mnt");
    put_bytes("/cases/c.img", "x", 1);
    put(LOOP11, "loop/backing_file", "/cases/c.img\n");
    assert_false(holds(7, 11));
    assert_int_equal(device_in_use_at(root, &device, why, sizeof why), DEVICE_FREE);
}

/* --- who writes to it ----------------------------------------------------------------------------
 */

static void
put_node(const char *path, unsigned major_number, unsigned minor_number)
{
    char node[PATH_MAX];

    (void)snprintf(node, sizeof node, "%s%s", root, path);
    make_parents(node);
    if (mknod(node, S_IFBLK | 0600, makedev(major_number, minor_number)) != 0) {
        print_message("SKIP: no right to make device nodes\n");
        skip();
    }
}

static void
expect_writer(const char *reason)
{
    char why[512] = "";

    assert_int_equal(device_has_writer_at(root, &device, why, sizeof why), reason[0] != '\0');
    assert_string_equal(why, reason);
}

static void
test_open_for_writing(void **state)
{
    (void)state;
    put_node("/dev/sda2", 8, 2);
    put_node("/dev/sdb", 8, 16);
    put("/proc/100", "comm", "a\x1b)b\n");
    put_link("/proc/100/fd", "0", "/dev/gone");
    put_link("/proc/100/fd", "3", "/dev/sda2");
    put_link("/proc/100/fd", "4", "/dev/sdb");
    put("/proc/100/fdinfo", "4", "pos:\t0\nflags:\t0100002\nmnt_id:\t1\n");
    /* vanished meanwhile */
    read_device(8, 0);
    expect_writer("");
    put("/proc/100/fdinfo", "3", "pos:\t0\nflags:\t0100000\nmnt_id:\t1\n");
    expect_writer("");
    put("/proc/100/fdinfo", "3", "pos:\t0\nflags:\t0100001\nmnt_id:\t1\n");
    expect_writer("process 100 (a\\x1b)b) has it open for writing");
    read_device(8, 1);
    expect_writer("process 100 (a\\x1b)b) has it open for writing");
    read_device(259, 0);
    expect_writer("");
}

static void
test_mapped_for_writing(void **state)
{
    (void)state;
    put_node("/dev/sda", 8, 0);
    put("/proc/7", "comm", "mapper\n");
    put_link("/proc/7/map_files", "7f00-7f01", "/dev/sda");
    put("/proc/7", "maps",
        "\n7f00\n7f00-7f01 rw-p 00000000 00:05 10 /dev/sda\n7f02-7f03 rw-s 0 00:01 9 /x\n");
    read_device(8, 2);
    expect_writer("");
    put("/proc/7", "maps", "55aa-55ab r-xp 0 00:01 9 /x\n7f00-7f01 rw-s 0 00:05 10 /dev/sda\n");
    expect_writer("process 7 (mapper) has it mapped for writing");
    read_device(8, 16);
    expect_writer("");
}

/* --- USB power ---------------------------------------------------------------------------------
 */

static void
test_usb_power(void **state)
{
    struct device_setting usb;
    char path[PATH_MAX], text[16];

    (void)state;
    (void)snprintf(path, sizeof path, "%s%s", root, USB);
    read_device(8, 16);
    device_usb_keep_awake_at(root, &device, &usb);
    assert_string_equal(usb.old, "auto");
    assert_int_equal(sysfs_bytes(path, "power/control", text, 2), 2);
    assert_memory_equal(text, "on", 2);
    device_setting_restore(&usb);
    assert_true(sysfs_text(path, "power/control", text, sizeof text));
    assert_string_equal(text, "auto");
    read_device(8, 0);
    device_usb_keep_awake_at(root, &device, &usb);
    assert_string_equal(usb.path, "");
    device_setting_restore(&usb);
}

/* --- SCSI timeouts ---------------------------------------------------------------------------- */

static void
assert_attribute(const char *attribute, const char *expected)
{
    char path[PATH_MAX], text[24];

    (void)snprintf(path, sizeof path, "%s%s", root, ATA);
    assert_true(sysfs_text(path, attribute, text, sizeof text));
    assert_string_equal(text, expected);
}

static void
test_timeouts(void **state)
{
    struct device_setting settings[2];
    struct device_timeouts t;
    struct err err = ERR_INIT;

    (void)state;
    read_device(8, 16);
    device_timeouts_at(root, &device, &t);
    assert_false(t.known);
    assert_int_equal(device_timeouts_set_at(root, &device, 60, settings, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_USAGE);

    put(ATA, "timeout", "30\n");
    put(ATA, "eh_timeout", "10\n");
    read_device(8, 0);
    device_timeouts_at(root, &device, &t);
    assert_true(t.known && t.command == 30 && t.handler == 10);
    /* Longer: the error handler's stays. */
    assert_int_equal(device_timeouts_set_at(root, &device, 60, settings, &err), 0);
    assert_attribute("timeout", "60");
    assert_attribute("eh_timeout", "10");
    assert_true(device_setting_restore(&settings[0]) && device_setting_restore(&settings[1]));
    assert_attribute("timeout", "30");
    /* Shorter: both. */
    assert_int_equal(device_timeouts_set_at(root, &device, 5, settings, &err), 0);
    assert_attribute("timeout", "5");
    assert_attribute("eh_timeout", "5");
    assert_true(device_setting_restore(&settings[0]) && device_setting_restore(&settings[1]));
    assert_attribute("timeout", "30");
    assert_attribute("eh_timeout", "10");
}

/* A disk that left takes its settings with it: nothing is left to put back. */
static void
test_setting_of_a_gone_disk(void **state)
{
    struct device_setting gone = {.old = "30"};
    struct device_setting none = {.path = ""};

    (void)state;
    (void)snprintf(gone.path, sizeof gone.path, "%s/no/such/timeout", root);
    assert_true(device_setting_restore(&gone));
    assert_true(device_setting_restore(&none));
}

/* --- locked drives ------------------------------------------------------------------------------
 */

static void
test_locked(void **state)
{
    unsigned char identify[512] = {0};
    unsigned char page[60 + 512] = {0, 0x89, 2, 0x38};

    (void)state;
    assert_false(ata_identify_locked(identify, sizeof identify));
    identify[256] = 0x03; /* security supported and enabled, as it is once unlocked */
    assert_false(ata_identify_locked(identify, sizeof identify));
    identify[256] = 0x07; /* and locked */
    assert_true(ata_identify_locked(identify, sizeof identify));
    identify[256] = 0x29; /* supported, frozen, enhanced erase */
    assert_false(ata_identify_locked(identify, sizeof identify));
    memset(identify + 256, 0xff, 2);
    assert_false(ata_identify_locked(identify, sizeof identify));
    identify[256] = 0x07;
    identify[257] = 0;
    assert_false(ata_identify_locked(identify, 511));

    assert_false(device_opal_locked(0x1 | 0x2));            /* supported */
    assert_false(device_opal_locked(0x1 | 0x2 | 0x4));      /* enabled, unlocked */
    assert_true(device_opal_locked(0x1 | 0x2 | 0x4 | 0x8)); /* locked */
    assert_false(device_opal_locked(0x8));

    read_device(8, 0);
    assert_false(device_locked_at(root, &device));
    memcpy(page + 60, identify, sizeof identify);
    put_bytes(ATA "/vpd_pg89", page, sizeof page);
    assert_true(device_locked_at(root, &device));
    read_device(8, 16);
    assert_false(device_locked_at(root, &device));
}

/* --- temperature --------------------------------------------------------------------------------
 */

static void
test_thermometer(void **state)
{
    char path[PATH_MAX], expected[PATH_MAX];

    (void)state;
    assert_false(thermometer_find_at(root, makedev(8, 0), path));
    put(ATA, "hwmon/hwmon3/temp1_input", "38000\n");
    assert_true(thermometer_find_at(root, makedev(8, 0), path));
    (void)snprintf(expected, sizeof expected, "%s%s/device/hwmon/hwmon3/temp1_input", root, SDA);
    assert_string_equal(path, expected);
    read_device(259, 0);
    put(NVME, "hwmon1/temp1_input", "41850\n");
    assert_true(thermometer_find_at(root, makedev(259, 0), path));
    assert_false(thermometer_find_at(root, makedev(1, 1), path));
}

static void
test_unescape(void **state)
{
    char text[] = "\\040\\134x\\09\\777\\";

    (void)state;
    mounts_unescape(text);
    assert_string_equal(text, " \\x\\09\\777\\");
}

/* --- keeping the machine awake -----------------------------------------------------------------
 */

static void
put_program(const char *name, const char *text, char *path, size_t size)
{
    put("", name, text);
    (void)snprintf(path, size, "%s/%s", root, name);
    assert_int_equal(chmod(path, 0755), 0);
}

static struct inhibit *
inhibit_with(const char *program, char *say, size_t n)
{
    return inhibit_confirm(inhibit_begin_with(program, "a test", say, n), say, n);
}

/* A machine that has much to do may not have run the program in time: again, until it answers. */
static struct inhibit *
inhibit_heard(const char *program, char *say, size_t n)
{
    for (int i = 0; i < 100; i++) {
        struct inhibit *inhibit = inhibit_with(program, say, n);

        if (!strstr(say, "not confirmed"))
            return inhibit;
        inhibit_end(inhibit);
    }
    fail_msg("'%s' never answered in time", program);
    return NULL;
}

static void
test_inhibit(void **state)
{
    char path[PATH_MAX], pid_text[32] = "", say[256];
    struct inhibit *inhibit;
    pid_t pid;

    (void)state;
    put_program("good", "#!/bin/sh\necho \"$$ $*\" >\"$0.said\"\nexec /usr/bin/cat\n", path,
                sizeof path);
    inhibit = inhibit_heard(path, say, sizeof say);
    assert_string_equal(say, "inhibited");
    assert_non_null(inhibit);
    assert_true(sysfs_text(root, "good.said", say, sizeof say));
    assert_non_null(strstr(say, "--what=sleep:idle:shutdown:handle-lid-switch --who=Exhibit "
                                "--why=a test --mode=block /usr/bin/cat"));
    (void)snprintf(pid_text, sizeof pid_text, "%.*s", (int)strcspn(say, " "), say);
    pid = (pid_t)strtol(pid_text, NULL, 10);
    assert_true(pid > 1);
    /* the terminal's signals go to our session */
    assert_int_equal(getsid(pid), pid);
    inhibit_end(inhibit);
    assert_int_equal(getsid(pid), -1);
}

static void
test_inhibit_refused(void **state)
{
    char path[PATH_MAX], say[256];

    (void)state;
    put_program("bad", "#!/bin/sh\necho no bus >&2\nexit 1\n", path, sizeof path);
    assert_null(inhibit_heard(path, say, sizeof say));
    assert_non_null(strstr(say, "not inhibited"));
    assert_null(inhibit_with("/nonexistent/program", say, sizeof say));
    assert_non_null(strstr(say, "/nonexistent/program"));
    /* What is not wanted any more is not waited for. */
    inhibit_end(inhibit_begin_with(path, "a test", say, sizeof say));
    inhibit_end(NULL);
}

static void
test_inhibit_slow(void **state)
{
    char path[PATH_MAX], say[256];
    struct inhibit *inhibit;

    (void)state;
    put_program("slow", "#!/bin/sh\nexec /usr/bin/sleep 60\n", path, sizeof path);
    inhibit = inhibit_with(path, say, sizeof say);
    assert_non_null(inhibit);
    assert_non_null(strstr(say, "not confirmed"));
    inhibit_end(inhibit);
}

#define ON_MACHINE(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MACHINE(test_ata),
        ON_MACHINE(test_partition),
        ON_MACHINE(test_other_buses),
        ON_MACHINE(test_hostile_pages),
        ON_MACHINE(test_missing),
        ON_MACHINE(test_list),
        ON_MACHINE(test_unused),
        ON_MACHINE(test_mounted),
        ON_MACHINE(test_mounted_elsewhere),
        ON_MACHINE(test_system),
        ON_MACHINE(test_held),
        ON_MACHINE(test_mapped_name),
        ON_MACHINE(test_btrfs_member),
        ON_MACHINE(test_swap),
        ON_MACHINE(test_holds),
        ON_MACHINE(test_file_in_use),
        ON_MACHINE(test_file_holds),
        ON_MACHINE(test_two_loops),
        ON_MACHINE(test_open_for_writing),
        ON_MACHINE(test_mapped_for_writing),
        ON_MACHINE(test_usb_power),
        ON_MACHINE(test_timeouts),
        ON_MACHINE(test_setting_of_a_gone_disk),
        ON_MACHINE(test_locked),
        ON_MACHINE(test_thermometer),
        ON_MACHINE(test_unescape),
        ON_MACHINE(test_inhibit),
        ON_MACHINE(test_inhibit_refused),
        ON_MACHINE(test_inhibit_slow),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
