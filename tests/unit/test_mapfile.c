#include "tests/lib/unit.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/mapfile.h"
#include "common/text.h"

static struct mapfile *
parse(const char *text, struct err *err)
{
    return mapfile_parse(text, strlen(text), 100000, err);
}

static void
what_ddrescue_writes(void **state)
{
    static const char text[] = "# Mapfile. Created by GNU ddrescue version 1.27\n"
                               "# Command line: ddrescue /dev/sdb image map\n"
                               "# current_pos  current_status  current_pass\n"
                               "0x00010000     ?               2\n"
                               "#      pos        size  status\n"
                               "0x00000000  0x00010000  +\n"
                               "0x00010000  0x00000200  -   # a remark\n"
                               "0x00010200  0x00000E00  /\n"
                               "\n"
                               "\t0x00011000  4096 *\r\n"
                               "0x00012000 010000 ?\n"; /* decimal and octal are numbers too */
    struct err err = ERR_INIT;
    struct mapfile *map = parse(text, &err);
    struct ranges bad = {0};

    (void)state;
    if (!map)
        fail_msg("%s", err.text);
    assert_int_equal(map->current, 0x10000);
    assert_int_equal(map->phase, '?');
    assert_int_equal(map->n, 5);
    assert_int_equal(map->blocks[1].status, MAP_BAD_SECTOR);
    assert_int_equal(map->blocks[3].length, 4096);
    assert_int_equal(map->blocks[4].length, 4096);
    mapfile_ranges(map, MAP_BAD_SECTOR, &bad);
    assert_int_equal(bad.n, 1);
    assert_int_equal(bad.v[0].offset, 0x10000);
    assert_int_equal(bad.v[0].length, 0x200);
    ranges_free(&bad);
    mapfile_free(map);
    mapfile_free(NULL);
}

static void
other_forms(void **state)
{
    static const char *const good[] = {
        "0x0 +\n0 512 +\n",         /* before 1.22: no pass number */
        "0 + 1\n0 512 +",           /* no newline at the end */
        "0 F 1\n0x1000 0x1000 +\n", /* a map of part of a disk */
        "512 + 1\n",                /* no blocks */
    };
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct mapfile *map = parse(good[i], &err);

        if (!map)
            fail_msg("case %zu: %s", i, err.text);
        mapfile_free(map);
    }
}

static void
ill_formed(void **state)
{
    static const char *const bad[] = {
        "",
        "# only a comment\n",
        "hello\n",
        "0\n",
        "0 x 1\n0 512 +\n",   /* no such phase */
        "0 + 1 2\n0 512 +\n", /* too many fields */
        "0 + 1\n0 512\n",     /* no status */
        "0 + 1\n0 512 !\n",   /* no such status */
        "0 + 1\n0 512 ++\n",
        "0 + 1\n0 -512 +\n",
        "0 + 1\n0 0 +\n",                      /* an empty block */
        "0 + 1\n0 512 +\n1024 512 +\n",        /* a gap */
        "0 + 1\n0 512 +\n256 512 +\n",         /* an overlap */
        "0 + 1\n512 512 +\n0 512 +\n",         /* out of order */
        "0 + 1\n0 0x8000000000000000 +\n",     /* past 2^63 - 1 */
        "0 + 1\n0x7ffffffffffffe00 0x400 +\n", /* ends past it */
        "0 + 1\n0 99999999999999999999 +\n",
        "0x + 1\n0 512 +\n",
        "0 + 1\n0x 512 +\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = ERR_INIT;

        if (parse(bad[i], &err))
            fail_msg("case %zu was taken: %s", i, bad[i]);
        assert_int_equal(err.outcome, OUTCOME_FAILED);
        assert_non_null(strstr(err.text, "line"));
    }
    struct err err = ERR_INIT;
    assert_null(mapfile_parse("0 + 1\n0 5\0 +\n", 14, 10, &err));            /* a NUL in a number */
    assert_null(mapfile_parse("0 + 1\n0 1 +\n1 1 +\n2 1 +\n", 24, 2, &err)); /* too many */
}

static void
the_line_is_named(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_null(parse("# a\n0 + 1\n# b\n0 512 +\n512 512 !\n", &err));
    assert_non_null(strstr(err.text, "line 5"));
}

/* What is written says exactly what was bad, whole, and is read back as it was. */
static void
written_and_read_back(void **state)
{
    struct rng rng = rng_start("mapfile");

    (void)state;
    for (int round = 0; round < 300; round++) {
        uint64_t size = 1 + rng_below(&rng, UINT64_C(1) << (1 + rng_below(&rng, 50)));
        struct err err = ERR_INIT;
        struct ranges bad = {0};
        struct ranges got = {0};
        struct ranges all = {0};

        for (uint64_t i = rng_below(&rng, 30); i > 0; i--) {
            uint64_t offset = rng_below(&rng, size);

            ranges_add(&bad, offset, rng_below(&rng, size - offset + 1));
        }
        AUTO_FREE char *text = mapfile_text(size, &bad, "x\n0 + 1\n\033[2J");
        struct mapfile *map = parse(text, &err);

        if (!map)
            fail_msg("%s in\n%s", err.text, text);
        mapfile_ranges(map, MAP_BAD_SECTOR, &got);
        assert_int_equal(got.n, bad.n);
        if (bad.n > 0)
            assert_memory_equal(got.v, bad.v, bad.n * sizeof *bad.v);
        mapfile_ranges(map, MAP_BAD_SECTOR, &all);
        mapfile_ranges(map, MAP_FINISHED, &all);
        assert_int_equal(all.n, 1);
        assert_int_equal(all.v[0].offset, 0);
        assert_int_equal(all.v[0].length, size);
        assert_int_equal(map->phase, '+');
        mapfile_free(map);
        ranges_free(&bad);
        ranges_free(&got);
        ranges_free(&all);
    }
}

#define BLOCKS_MANY ((size_t)1 << 20)

/* Less than a map is no map: what it was to replace must stay. */
static void
without_memory_there_is_no_text(void **state)
{
    struct mapfile map = {.phase = '?', .pass = 1, .n = BLOCKS_MANY};
    int status = 0;
    pid_t child;

    (void)state;
    if (SANITIZED)
        skip(); /* a sanitizer's own memory has no such limit */
    map.blocks = xcalloc(map.n, sizeof *map.blocks);
    for (size_t i = 0; i < map.n; i++)
        map.blocks[i] = (struct map_block){i * 512, 512, i % 2 ? MAP_FINISHED : MAP_BAD_SECTOR};
    child = fork();
    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 1, .rlim_max = 1};

        _exit(setrlimit(RLIMIT_AS, &none) == 0 && !mapfile_write(&map, "test") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(map.blocks);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_there_is_no_text),
        cmocka_unit_test(what_ddrescue_writes),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(ill_formed),
        cmocka_unit_test(the_line_is_named),
        cmocka_unit_test(written_and_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
