#include "tests/lib/unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "acquire/device/device_identity.h"

/* A sysfs made of files, for what no virtual machine has: eMMC, forensic bridges. */

static char root[PATH_MAX];

static void
put(const char *dir, const char *attribute, const char *text)
{
    char path[2 * PATH_MAX];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s%s/%s", root, dir, attribute);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *p = '/';
    }
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
put_link(const char *dir, const char *name, const char *target)
{
    char path[2 * PATH_MAX], full[2 * PATH_MAX];

    put(dir, ".there", "");
    (void)snprintf(path, sizeof path, "%s%s/%s", root, dir, name);
    (void)snprintf(full, sizeof full, "%s%s", root, target);
    assert_int_equal(symlink(full, path), 0);
}

static void
put_disk(const char *dir, const char *number, const char *sectors)
{
    put(dir, "dev", number);
    put(dir, "size", sectors);
    put_link("/sys/dev/block", number, dir);
    put_link("/sys/block", strrchr(dir, '/') + 1, dir);
}

#define CARD "/sys/devices/platform/mmc_host/mmc0/mmc0:0001"
#define USB "/sys/devices/pci0/usb2/2-1"
#define NVME "/sys/devices/pci0/0000:01:00.0/nvme/nvme0"
#define ATA "/sys/devices/pci0/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda"

static int
make_machine(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/exhibit-unit.XXXXXX");
    assert_non_null(mkdtemp(root));
    put_disk(CARD "/block/mmcblk0", "179:0", "30535680");
    put_disk(CARD "/block/mmcblk0/mmcblk0boot0", "179:8", "8192");
    put_disk(CARD "/block/mmcblk0/mmcblk0boot1", "179:16", "8192");
    put_disk(CARD "/block/mmcblk0/mmcblk0gp0", "179:24", "2048");
    put(CARD "/mmcblk0rpmb", "dev", "240:0");
    put(CARD, "raw_rpmb_size_mult", "0x20\n");
    put_disk(USB "/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb", "8:16", "2048");
    put_disk(USB "/2-1:1.0/host6/target6:0:0/6:0:0:1/block/sdc", "8:32", "0");
    put(USB, "idVendor", "13d7\n");
    put(USB, "idProduct", "000c\n");
    put(USB, "serial", "000ECC0200001234\n");
    put(USB, "speed", "480\n");
    put_disk(NVME "/nvme0n1", "259:0", "4096");
    put_disk(NVME "/nvme0n10", "259:2", "4096");
    put_disk(NVME "/nvme0n2", "259:1", "4096");
    put_disk(NVME "/nvme0c0n1", "259:3", "4096");
    put(NVME "/nvme0c0n1", "hidden", "1\n");
    put_disk(ATA, "8:0", "4096");
    put(ATA, "queue/discard_max_hw_bytes", "2147450880\n");
    return 0;
}

static int
remove_machine(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command); // NOLINT(cert-env33-c) a path of our own
}

static struct device device;
static struct device_identity identity;

static void
look(unsigned major_number, unsigned minor_number)
{
    memset(&device, 0, sizeof device);
    device.number = device.disk_number = makedev(major_number, minor_number);
    device_identity_read_at(root, &device, &identity);
}

static void
assert_area(size_t i, const char *name, const char *kind, uint64_t size)
{
    assert_true(i < identity.n_areas);
    assert_string_equal(identity.areas[i].name, name);
    assert_string_equal(identity.areas[i].kind, kind);
    assert_int_equal(identity.areas[i].size, size);
}

static void
test_emmc(void **state)
{
    (void)state;
    look(179, 0);
    assert_int_equal(identity.n_areas, 4);
    assert_area(0, "mmcblk0boot0", "eMMC boot area", 4 << 20);
    assert_area(1, "mmcblk0boot1", "eMMC boot area", 4 << 20);
    assert_area(2, "mmcblk0gp0", "eMMC general-purpose area", 1 << 20);
    assert_area(3, "mmcblk0rpmb", "eMMC replay-protected area (RPMB)", 4 << 20);
    look(179, 8); /* and from a boot area */
    assert_int_equal(identity.n_areas, 4);
    assert_area(0, "mmcblk0", "eMMC user area", UINT64_C(30535680) * 512);
}

static void
test_units(void **state)
{
    (void)state;
    look(8, 16);
    assert_int_equal(identity.n_areas, 1);
    assert_area(0, "sdc", "logical unit", 0);
    look(8, 0);
    assert_int_equal(identity.n_areas, 0);
    assert_false(identity.usb.there);
    assert_true(identity.discards);
}

static void
test_namespaces(void **state)
{
    (void)state;
    look(259, 0);
    assert_int_equal(identity.n_areas, 2);
    assert_area(0, "nvme0n2", "NVMe namespace", 4096 * 512);
    assert_area(1, "nvme0n10", "NVMe namespace", 4096 * 512);
}

static void
test_usb(void **state)
{
    (void)state;
    look(8, 16);
    assert_true(identity.usb.there);
    assert_int_equal(identity.usb.vendor, 0x13d7);
    assert_int_equal(identity.usb.product, 0x000c);
    assert_string_equal(identity.usb.port, "2-1");
    assert_string_equal(identity.usb.serial, "000ECC0200001234");
    assert_string_equal(identity.usb.speed, "480");
    assert_non_null(strstr(identity.blocker, "Tableau"));
    assert_string_equal(identity.blocker_model, "T8-R2");
}

/* By what they call themselves, on any bus. */
static void
test_blocker_names(void **state)
{
    static const struct {
        const char *vendor, *model, *maker;
    } cases[] = {
        {"WiebeTec", "Forensic WiebeTech", "WiebeTech"},
        {"CRU", "whatever", "WiebeTech"},
        {"CRUCIAL", "MX500", NULL},
        {"", "UltraBlock USB3", "Digital"},
        {"Logicube", "", "Logicube"},
        {"ATA", "Samsung SSD", NULL},
        {"", "USB WriteBlocker", "write blocker"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&device, 0, sizeof device);
        device.number = device.disk_number = makedev(8, 0);
        (void)snprintf(device.vendor, sizeof device.vendor, "%s", cases[i].vendor);
        (void)snprintf(device.model, sizeof device.model, "%s", cases[i].model);
        device_identity_read_at(root, &device, &identity);
        assert_int_equal(identity.blocker != NULL, cases[i].maker != NULL);
        if (cases[i].maker)
            assert_non_null(strstr(identity.blocker, cases[i].maker));
    }
}

static void
test_gone(void **state)
{
    (void)state;
    look(99, 99);
    assert_int_equal(identity.n_areas, 0);
    assert_false(identity.usb.there);
    assert_null(identity.blocker);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emmc),          cmocka_unit_test(test_units),
        cmocka_unit_test(test_namespaces),    cmocka_unit_test(test_usb),
        cmocka_unit_test(test_blocker_names), cmocka_unit_test(test_gone),
    };

    return cmocka_run_group_tests(tests, make_machine, remove_machine);
}
