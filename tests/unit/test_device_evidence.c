#include "tests/lib/unit.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "acquire/device/device_evidence.h"
#include "common/cleanup.h"

/* A partition, 8:1, of the disk 8:0. */
static void
make(struct device *d)
{
    *d = (struct device){.number = makedev(8, 1),
                         .disk_number = makedev(8, 0),
                         .is_partition = true,
                         .serial = "WD-1",
                         .wwn = "0x5000c500"};
}

static void
udev_writes(const char *name, const char *text)
{
    AUTO_FILE FILE *f = NULL;

    (void)mkdir("run", 0755);
    (void)mkdir("run/udev", 0755);
    (void)mkdir("run/udev/data", 0755);
    f = fopen(name, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
}

static void
udev_marks_a_disk_or_a_partition(void **state)
{
    static const char *const no[] = {
        "",
        "E:EXHIBIT_EVIDENCE=0\n",
        "E:EXHIBIT_EVIDENCE=10\n",
        "E:EXHIBIT_EVIDENCE=\n",
        "S:EXHIBIT_EVIDENCE=1\n",
        "E:ID_SERIAL=E:EXHIBIT_EVIDENCE=1\n", /* what a drive calls itself marks nothing */
        "E:ID_MODEL=X EXHIBIT_EVIDENCE=1\nE:NOT_EXHIBIT_EVIDENCE=1\n",
    };
    struct device *d = test_malloc(sizeof *d);

    (void)state;
    make(d);
    assert_false(device_is_evidence_at(".", d, NULL, 0));
    for (size_t i = 0; i < COUNT(no); i++) {
        udev_writes("run/udev/data/b8:0", no[i]);
        assert_false(device_is_evidence_at(".", d, NULL, 0));
    }
    udev_writes("run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_BUS=ata\nE:EXHIBIT_EVIDENCE=1\nG:x\n");
    assert_true(device_is_evidence_at(".", d, NULL, 0));
    udev_writes("run/udev/data/b8:0", "");
    udev_writes("run/udev/data/b8:1", "E:EXHIBIT_EVIDENCE=1\n");
    assert_true(device_is_evidence_at(".", d, NULL, 0));
    d->number = d->disk_number; /* the partition's mark is not the disk's */
    assert_false(device_is_evidence_at(".", d, NULL, 0));
    test_free(d);
}

static void
the_configuration_marks_by_name(void **state)
{
    static const struct {
        const char *mark;
        bool fits;
    } marks[] = {
        {"serial=WD-1", true},     {"serial=WD-", false},    {"serial=WD-12", false},
        {"serial=", false},        {"wwn=0x5000c500", true}, {"wwn=WD-1", false},
        {"path=/dev/null", false}, {"path=/nowhere", false},
    };
    static const char *const several[] = {"serial=A", "wwn=B", "serial=WD-1"};
    struct device *d = test_malloc(sizeof *d);

    (void)state;
    make(d);
    for (size_t i = 0; i < COUNT(marks); i++)
        assert_int_equal(device_is_evidence_at("/nonexistent", d, &marks[i].mark, 1),
                         marks[i].fits);
    assert_true(device_is_evidence_at("/nonexistent", d, several, COUNT(several)));
    d->serial[0] = d->wwn[0] = '\0';
    assert_false(device_is_evidence_at("/nonexistent", d, (const char *const[]){"serial="}, 1));
    test_free(d);
}

static void
marks_are_checked(void **state)
{
    static const char *const good[] = {"serial=x", "wwn=0x1", "path=/dev/disk/by-id/ata-X"};
    static const char *const bad[] = {
        "", "serial", "serial=", "wwn=", "path=", "path=x", "path=/tmp/x", "Serial=x", "x=y"};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(device_mark_check(good[i], &err), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(device_mark_check(bad[i], &err), -1);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udev_marks_a_disk_or_a_partition),
        cmocka_unit_test(the_configuration_marks_by_name),
        cmocka_unit_test(marks_are_checked),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
