#include "tests/lib/unit.h"

#include <errno.h>
#include <pthread.h>

#include "acquire/worker/gate.h"
#include "tests/lib/fault_source.h"

#define SIZE 65536u

static struct gate *gate;
static struct source *faults;

static void
make(const char *map, unsigned stall_ms)
{
    struct fault_spec spec = {.size = SIZE, .sector_size = 512, .map = map, .stall_ms = stall_ms};

    faults = fault_source_new(&spec);
    gate = gate_new(faults);
}

static void
nap(unsigned ms)
{
    struct timespec t = {.tv_nsec = (long)ms * 1000000};

    (void)nanosleep(&t, NULL);
}

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
    make("0 +\n0 512 +\n512 512 -\n1024 64512 +\n", 0);
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
    make(NULL, 0);
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
    make(NULL, 0);
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
    pthread_t thread;
    ssize_t got = -2;
    uint64_t offset = 0;
    uint64_t ms = 0;

    (void)state;
    make("0 +\n0 1024 +\n1024 512 /\n1536 64000 +\n", 300);
    assert_int_equal(pthread_create(&thread, NULL, read_one, &got), 0);
    for (int i = 0; i < 200 && ms < 20; i++) {
        nap(5);
        (void)gate_waiting(gate, &offset, &ms);
    }
    assert_int_equal(offset, 1024);
    assert_true(ms >= 20);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(got, 512);
    assert_false(gate_waiting(gate, &offset, &ms));
    source_close(gate_source(gate));
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
