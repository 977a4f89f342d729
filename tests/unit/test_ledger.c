#include "tests/lib/unit.h"

#include <fcntl.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/ledger.h"
#include "common/outfile.h"

#define NAME "a.custody.jsonl"

static void
append(const char *reason, const char *expected_head)
{
    json_t *event = ledger_event("moved");
    struct err err = ERR_INIT;
    char head[LEDGER_HASH_MAX];

    json_set_text(event, "reason", reason);
    if (ledger_append(AT_FDCWD, NAME, event, NULL, head, &err) != 0)
        fail_msg("%s", err.text);
    if (expected_head)
        assert_string_not_equal(head, expected_head);
}

static void
read_back(struct ledger *l)
{
    struct err err = ERR_INIT;

    if (ledger_read(AT_FDCWD, NAME, l, &err) != 0)
        fail_msg("%s", err.text);
}

/* Thousands of times, so nothing that waits for the disk: not outfile_write(), and no cut to
   nothing, after which some file systems write at once. */
static void
write_file(const void *data, size_t n)
{
    AUTO_FD int fd = open(NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    assert_int_equal(ftruncate(fd, (off_t)n), 0);
}

/* What a foreign name holds comes back as it was, and the chain holds. */
static void
test_append(void **state)
{
    struct ledger l;

    (void)state;
    (void)unlink(NAME);
    append("plain", NULL);
    append("\",\"hash\":\"0000\"}\n\x01\xff", "");
    append("\",\"signature\":\"AAAA\"", "");
    read_back(&l);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.broken, 0);
    assert_int_equal(l.torn, 0);
    assert_int_equal(l.v[1].signed_length, 0);
    assert_int_equal(l.v[2].signed_length, 0);
    assert_true(ledger_has_head(&l, l.v[0].hash));
    assert_true(ledger_has_head(&l, l.v[2].hash));
    assert_ptr_equal(ledger_last(&l, "moved"), &l.v[2]);
    assert_null(ledger_last(&l, "signed"));
    ledger_clear(&l);
}

/* Every bit of every byte: no change leaves a ledger that fits. */
static void
test_flips(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *kept = NULL;
    size_t n;

    (void)state;
    (void)unlink(NAME);
    append("one", NULL);
    append("two", NULL);
    kept = infile_read(AT_FDCWD, NAME, 1 << 20, &n, &err);
    assert_non_null(kept);
    for (size_t i = 0; i < n * 8; i++) {
        struct ledger l;

        kept[i / 8] ^= (char)(1 << i % 8);
        write_file(kept, n);
        kept[i / 8] ^= (char)(1 << i % 8);
        read_back(&l);
        if (!l.broken && l.torn == 0)
            fail_msg("a flip of bit %zu of byte %zu was not noticed", i % 8, i / 8);
        ledger_clear(&l);
    }
}

/* Cut anywhere, as by a crash: the whole lines before stay good, and the next event mends it. */
static void
test_torn(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *kept = NULL;
    size_t first;
    size_t n;

    (void)state;
    (void)unlink(NAME);
    append("one", NULL);
    append("two", NULL);
    kept = infile_read(AT_FDCWD, NAME, 1 << 20, &n, &err);
    assert_non_null(kept);
    first = (size_t)(strchr(kept, '\n') - kept) + 1;
    for (size_t cut = 1; cut < n; cut += 7) {
        struct ledger l;

        write_file(kept, cut);
        append("after", NULL);
        read_back(&l);
        assert_int_equal(l.broken, 0);
        assert_int_equal(l.torn, 0);
        assert_int_equal(l.n, cut < first ? 1 : 2);
        assert_int_equal(json_is_integer(json_object_get(l.v[l.n - 1].event, "discarded_bytes")),
                         cut != first);
        ledger_clear(&l);
    }
}

/* One that is broken is left alone. */
static void
test_broken(void **state)
{
    static const char *const wrong[] = {"\n", "{}\n", "not a ledger\n",
                                        "{\"line\":1,\"action\":\"moved\",\"previous\":null}\n"};
    json_t *event;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct err err = ERR_INIT;
        AUTO_FREE char *now = NULL;
        size_t n;

        write_file(wrong[i], strlen(wrong[i]));
        event = ledger_event("moved");
        assert_int_equal(ledger_append(AT_FDCWD, NAME, event, NULL, NULL, &err), -1);
        assert_int_equal(err.outcome, OUTCOME_REFUSED);
        now = infile_read(AT_FDCWD, NAME, 1 << 20, &n, &err);
        assert_string_equal(now, wrong[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("ledger", tests, scratch_enter, scratch_leave);
}
