#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "acquire/front/journal.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"

#define NAME "job"
#define FILE_NAME NAME JOURNAL_SUFFIX
#define LINES 7

struct seen { /* what a reading took */
    size_t n;
    bool wrong; /* something that was never written, or not in order */
};

static json_t *
line(size_t i)
{
    json_t *v = json_object();

    json_set_text(v, "type", i % 2 ? "segment" : "unreadable");
    json_set_text(v, "file", "\",\"check\":\"\n\x01\xff");
    json_set_u64(v, "number", i);
    return v;
}

static int
take(void *context, const json_t *v, size_t number, struct err *err)
{
    struct seen *seen = context;
    uint64_t n;

    if (json_get_u64(v, "number", &n, err) != 0 || n != seen->n || number != seen->n + 1)
        seen->wrong = true;
    seen->n++;
    return 0;
}

static char *
whole(size_t *n)
{
    struct err err = ERR_INIT;
    char *text = infile_read(AT_FDCWD, FILE_NAME, JOURNAL_SIZE_MAX, n, &err);

    if (!text)
        fail_msg("%s", err.text);
    return text;
}

static char *
written(size_t *n)
{
    struct err err = ERR_INIT;
    struct journal *j;

    (void)unlink(FILE_NAME);
    j = journal_create(AT_FDCWD, NAME, &err);
    if (!j)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < LINES; i++)
        assert_int_equal(journal_add(j, line(i), i % 3 == 0, &err), 0);
    journal_free(j);
    return whole(n);
}

/* Lines whose newline lies within the first n bytes. */
static size_t
lines_in(const char *text, size_t n)
{
    size_t lines = 0;

    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

static void
test_round(void **state)
{
    AUTO_FREE char *text = NULL;
    struct journal_text out;
    struct seen seen = {0};
    struct err err = ERR_INIT;
    struct journal *j;
    size_t n;

    (void)state;
    text = written(&n);
    j = journal_open(AT_FDCWD, NAME, take, &seen, &out, &err);
    assert_non_null(j);
    assert_int_equal(seen.n, LINES);
    assert_false(seen.wrong);
    assert_int_equal(out.valid, n);
    assert_int_equal(out.torn, 0);
    /* A second run is kept out. */
    assert_null(journal_open(AT_FDCWD, NAME, take, &seen, &out, &err));
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_null(journal_create(AT_FDCWD, NAME, &err));
    journal_free(j);
}

static void
test_none(void **state)
{
    struct journal_text out;
    struct err err = ERR_INIT;

    (void)state;
    (void)unlink(FILE_NAME);
    assert_null(journal_open(AT_FDCWD, NAME, take, NULL, &out, &err));
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(symlink("/etc/passwd", FILE_NAME), 0);
    assert_null(journal_open(AT_FDCWD, NAME, take, NULL, &out, &err));
    assert_int_equal(unlink(FILE_NAME), 0);
}

/* Cut anywhere: exactly the lines that are whole. */
static void
test_cut(void **state)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    (void)state;
    text = written(&n);
    for (size_t i = 0; i <= n; i++) {
        struct journal_text out;
        struct seen seen = {0};
        struct err err = ERR_INIT;

        assert_int_equal(journal_parse(text, i, take, &seen, &out, &err), 0);
        assert_int_equal(seen.n, lines_in(text, i));
        assert_false(seen.wrong);
        assert_int_equal(out.valid + out.torn, i);
    }
}

/* Zeroed, or full of what another file held, from anywhere to the end. */
static void
test_tail(void **state)
{
    AUTO_FREE char *text = NULL;
    struct rng rng = rng_start("test_tail");
    size_t n;

    (void)state;
    text = written(&n);
    for (int garbage = 0; garbage < 2; garbage++) {
        for (size_t i = 0; i < n; i++) {
            AUTO_FREE char *copy = xcalloc(n, 1);
            struct journal_text out;
            struct seen seen = {0};
            struct err err = ERR_INIT;

            memcpy(copy, text, i);
            for (size_t k = i; k < n && garbage; k++)
                copy[k] = (char)rng_next(&rng);
            if (journal_parse(copy, n, take, &seen, &out, &err) != 0)
                fail_msg("tail from %zu: %s", i, err.text);
            assert_in_range(seen.n, lines_in(text, i), lines_in(text, i) + 1);
            assert_false(seen.wrong);
        }
    }
}

/* A bit flipped anywhere: what is believed is a prefix of what was written, and damage with sound
   lines behind it is told. */
static void
test_flip(void **state)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    (void)state;
    text = written(&n);
    for (size_t i = 0; i < 8 * n; i++) {
        struct journal_text out;
        struct seen seen = {0};
        struct err err = ERR_INIT;
        size_t hit = lines_in(text, i / 8);
        int r;

        text[i / 8] = (char)(text[i / 8] ^ (1 << i % 8));
        r = journal_parse(text, n, take, &seen, &out, &err);
        text[i / 8] = (char)(text[i / 8] ^ (1 << i % 8));
        assert_int_equal(seen.n, hit);
        assert_false(seen.wrong);
        if (hit + 3 <= LINES)
            assert_int_equal(r, -1);
    }
}

/* After each cut the next run appends, and all holds again. */
static void
test_append(void **state)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    (void)state;
    text = written(&n);
    for (size_t i = 0; i < n; i += 11) {
        AUTO_FREE char *after = NULL;
        struct journal_text out;
        struct seen seen = {0};
        struct err err = ERR_INIT;
        struct journal *j;
        size_t size;

        assert_int_equal(outfile_write(AT_FDCWD, FILE_NAME, text, i, true, &err), 0);
        j = journal_open(AT_FDCWD, NAME, take, &seen, &out, &err);
        assert_non_null(j);
        while (seen.n < LINES)
            assert_int_equal(journal_add(j, line(seen.n++), true, &err), 0);
        journal_free(j);
        after = whole(&size);
        assert_int_equal(size, n);
        assert_memory_equal(after, text, n);
    }
}

/* Lines swapped, left out or doubled. */
static void
test_order(void **state)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *copy = NULL;
    struct journal_text out;
    struct seen seen = {0};
    struct err err = ERR_INIT;
    size_t first;
    size_t n;

    (void)state;
    text = written(&n);
    first = (size_t)(strchr(text, '\n') - text) + 1;
    assert_int_equal(journal_parse(text + first, n - first, take, &seen, &out, &err), -1);
    assert_int_equal(seen.n, 0);
    copy = xcalloc(n + first, 1);
    memcpy(copy, text, first);
    memcpy(copy + first, text, n);
    assert_int_equal(journal_parse(copy, n + first, take, &seen, &out, &err), -1);
    assert_int_equal(seen.n, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round), cmocka_unit_test(test_none), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_tail),  cmocka_unit_test(test_flip), cmocka_unit_test(test_append),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests_name("journal", tests, scratch_enter, scratch_leave);
}
