#include "tests/lib/unit.h"

#include <errno.h>
#include <pthread.h>

#include "acquire/worker/gate.h"
#include "tests/lib/fault_source.h"

#define SIZE 65536u

static struct gate *gate;
static struct source *faults;

static void
make(const char *map)
{
    struct fault_spec spec = {.size = SIZE, .sector_size = 512, .map = map};

    faults = fault_source_new(&spec);
    gate = gate_new(faults);
}

static void
nap(unsigned ms)
{
    struct timespec t = {.tv_nsec = (long)ms * 1000000};

    (void)nanosleep(&t, NULL);
}

/* A source that answers no sooner than the test has written a byte into the pipe. */
static int hold[2];

static ssize_t
held_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    (void)s;
    (void)offset;
    return read(hold[0], buf, 1) == 1 ? (ssize_t)n : -1;
}

static void
held_close(struct source *s)
{
    (void)s;
}

static const struct source_ops held_ops = {.pread = held_pread, .close = held_close};

static void *
read_one(void *result)
{
    static char buf[512];

    *(ssize_t *)result = source_pread(gate_source(gate), buf, sizeof buf, 1024);
    return (void *)(intptr_t)errno;
}

static void
reads_and_their_errors_pass(void **state)
{
    char buf[1024];
    uint64_t offset;
    uint64_t ms;

    (void)state;
    make("0 +\n0 512 +\n512 512 -\n1024 64512 +\n");
    assert_int_equal(source_pread(gate_source(gate), buf, 512, 0), 512);
    errno = 0;
    assert_int_equal(source_pread(gate_source(gate), buf, 512, 512), -1);
    assert_int_equal(errno, EIO);
    assert_false(gate_waiting(gate, &offset, &ms));
    source_close(gate_source(gate));
}

static void
a_pause_holds_reads_back(void **state)
{
    pthread_t thread;
    ssize_t got = -2;

    (void)state;
    make(NULL);
    gate_pause(gate, true);
    assert_int_equal(pthread_create(&thread, NULL, read_one, &got), 0);
    nap(50);
    assert_int_equal(fault_source_reads(faults), 0);
    gate_pause(gate, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(got, 512);
    source_close(gate_source(gate));
}

static void
a_stop_ends_a_pause(void **state)
{
    pthread_t thread;
    ssize_t got = -2;
    void *error;

    (void)state;
    make(NULL);
    gate_pause(gate, true);
    assert_int_equal(pthread_create(&thread, NULL, read_one, &got), 0);
    gate_stop(gate);
    assert_int_equal(pthread_join(thread, &error), 0);
    assert_int_equal(got, -1);
    assert_int_equal((intptr_t)error, ECANCELED);
    assert_int_equal(fault_source_reads(faults), 0);
    source_close(gate_source(gate));
}

static void
a_read_under_way_is_seen(void **state)
{
    struct source held = {.ops = &held_ops};
    pthread_t thread;
    ssize_t got = -2;
    uint64_t offset = 0;
    uint64_t ms = 0;

    (void)state;
    assert_int_equal(pipe(hold), 0);
    gate = gate_new(&held);
    assert_int_equal(pthread_create(&thread, NULL, read_one, &got), 0);
    for (int i = 0; i < 10000 && ms < 20; i++) {
        nap(5);
        (void)gate_waiting(gate, &offset, &ms);
    }
    assert_int_equal(offset, 1024);
    assert_true(ms >= 20);
    assert_int_equal(write(hold[1], "", 1), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(got, 512);
    assert_false(gate_waiting(gate, &offset, &ms));
    source_close(gate_source(gate));
    (void)close(hold[0]);
    (void)close(hold[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_their_errors_pass),
        cmocka_unit_test(a_pause_holds_reads_back),
        cmocka_unit_test(a_stop_ends_a_pause),
        cmocka_unit_test(a_read_under_way_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
