/* What the guard says; that it refuses is tested in the virtual machine (tests/vm/guard.sh). */
#include "acquire/supervisor/guard_impl.h"
#include "tests/lib/unit.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static void
each_attempt_has_words(void **state)
{
    static const struct {
        enum guard_attempt what;
        uint32_t detail;
        const char *text;
    } cases[] = {
        {GUARD_OPEN, 2, "open for writing"},
        {GUARD_WRITE, 0, "write"},
        {GUARD_MAP, 0, "shared writable mapping"},
        {GUARD_IOCTL, 0x125d, "ioctl BLKROSET"},
        {GUARD_IOCTL, 0x1277, "ioctl BLKDISCARD"},
        {GUARD_IOCTL, 0xdeadbeef, "ioctl 0xdeadbeef"},
        {GUARD_SCSI, 0x2a, "SCSI command 0x2a"},
        {GUARD_SCSI, 0x3485, "ATA command 0x34"},
        {GUARD_NVME, 0x80, "NVMe admin command 0x80"},
        {GUARD_URING, 0xc0484e80, "io_uring command 0xc0484e80"},
        {GUARD_CLAIM, 0x81, "mount, or another use by the kernel"},
        {GUARD_SELF, GUARD_SELF_PINS, "removing the guard's pins"},
        {GUARD_SELF, GUARD_SELF_SWITCH, "switching off function tracing"},
        {GUARD_SELF, 99, "touching the guard"},
        {(enum guard_attempt)99, 0, "attempt of kind 99"},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct guard_event e = {.what = cases[i].what, .detail = cases[i].detail};

        guard_event_text(&e, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

/* The place of the pins is the whole machine's, and whoever takes a disk at this moment has pins
   there: so a bpf file system that nobody else sees. */
static bool
has_pins_of_its_own(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") == 0;
}

/* Where it cannot be had, it says why, and leaves nothing behind. */
static void
without_it_there_is_a_reason(void **state)
{
    bool alone = has_pins_of_its_own();
    struct err err = ERR_INIT;
    struct guard *g = guard_open(&err);
    struct stat st;

    (void)state;
    if (!g) {
        assert_int_equal(err.outcome, OUTCOME_REFUSED);
        assert_true(strlen(err.text) > 0);
    }
    guard_close(g);
    if (!g && alone)
        assert_int_not_equal(stat("/sys/fs/bpf/exhibit", &st), 0);
}

/* As supervisors do whose disk was the last: each removes the place where others are about to look.
 */
static int
lock_and_remove(int times)
{
    for (int i = 0; i < times; i++) {
        struct guard g = {.lock = -1};
        struct err err = ERR_INIT;

        if (guard_lock(&g, true, &err) != 1)
            return 1;
        (void)rmdir(GUARD_PINS);
        guard_unlock(&g);
    }
    return 0;
}

static void
the_lock_is_had_by_all_who_wait(void **state)
{
    pid_t pids[4];
    int status;

    (void)state;
    if (!has_pins_of_its_own()) {
        print_message("SKIP: needs root, and a mount namespace\n");
        skip();
    }
    for (size_t i = 0; i < COUNT(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(lock_and_remove(8000));
    }
    for (size_t i = 0; i < COUNT(pids); i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

static void
numbers_keep_their_meaning(void **state)
{
    const dev_t numbers[] = {makedev(8, 0), makedev(259, 70000), makedev(4095, 0xfffff)};

    (void)state;
    assert_int_equal(device_kernel_number(makedev(8, 1)), 0x00800001);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_true(device_number_of_kernel(device_kernel_number(numbers[i])) == numbers[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attempt_has_words),
        cmocka_unit_test(without_it_there_is_a_reason),
        cmocka_unit_test(the_lock_is_had_by_all_who_wait),
        cmocka_unit_test(numbers_keep_their_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
