/*
 * Included first by every unit test: cmocka with what it needs, a random generator whose seed is
 * printed, and a directory of the test's own.
 */
#ifndef EXHIBIT_TESTS_UNIT_H
#define EXHIBIT_TESTS_UNIT_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Sanitizers keep what was freed, so that the size of the process says nothing. */
#define SANITIZED false
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef SANITIZED
#define SANITIZED true
#endif
#endif
#define SANITIZED_THREAD false
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef SANITIZED_THREAD
#define SANITIZED_THREAD true
#endif
#endif

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* SplitMix64: one addition and a mix; every seed gives a full period. */
struct rng {
    uint64_t state;
};

static inline uint64_t
rng_next(struct rng *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Below n, which is not 0. */
static inline uint64_t
rng_below(struct rng *r, uint64_t n)
{
    return rng_next(r) % n;
}

/* The seed is $EXHIBIT_SEED, or new each time; printed, so that a failure can be run again. */
static inline struct rng
rng_start(const char *what)
{
    const char *given = getenv("EXHIBIT_SEED");
    struct rng r = {given ? strtoull(given, NULL, 0)
                          : (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid()};

    print_message("%s: EXHIBIT_SEED=%llu\n", what, (unsigned long long)r.state);
    return r;
}

/* `few`, or `many` where check-long runs the test; said in a line that tests/run shows. */
static inline unsigned
test_count(const char *test, unsigned few, unsigned many, const char *what)
{
    unsigned n = getenv("EXHIBIT_LONG") ? many : few;

    print_message("COUNT: %s: %u %s (check-long: %u)\n", test, n, what, many);
    return n;
}

/* Makes a directory below $TMPDIR, opens it and moves into it; scratch_leave() removes it. For the
   setup and teardown of a group. */
static char scratch_path[512];
static int scratch_dir = -1;

static inline int
scratch_enter(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    (void)snprintf(scratch_path, sizeof scratch_path, "%s/exhibit-unit.XXXXXX",
                   base ? base : "/tmp");
    if (!mkdtemp(scratch_path) || chdir(scratch_path) != 0)
        return -1;
    scratch_dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return scratch_dir < 0 ? -1 : 0;
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st;
    (void)flag;
    (void)walk;
    return remove(path);
}

static inline int
scratch_leave(void **state)
{
    (void)state;
    (void)close(scratch_dir);
    if (chdir("/") != 0)
        return -1;
    return nftw(scratch_path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
