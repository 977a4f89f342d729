#include "tests/lib/unit.h"

#include "common/json.h"
#include "common/text.h"
#include "report/facts.h"
#include "report/parser_reply.h"

struct scene {
    struct report report;
    struct volume volume;
    struct reply_target target;
};

static int
setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof *s);

    s->target.report = &s->report;
    s->report.media_size = 1 << 20;
    s->volume.name = xstrdup("partition 1");
    s->volume.present = 1 << 20;
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;
    struct report *r = xcalloc(1, sizeof *r);

    /* report_free() takes a whole report; the volume stands apart here. */
    *r = s->report;
    r->volumes = xcalloc(1, sizeof *r->volumes);
    r->volumes[0] = s->volume;
    r->n_volumes = 1;
    report_free(r);
    free(s);
    return 0;
}

static int
send(struct scene *s, const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = json_loads(text, 0, NULL);
    const char *kind = json_text_or_null(v, "kind");
    int r = parser_reply_take(&s->target, kind ? kind : "", v, &err);

    if (r != 0)
        assert_true(*err.text != '\0');
    json_decref(v);
    return r;
}

#define TABLE "{\"kind\":\"table\",\"type\":\"dos\",\"description\":\"DOS\",\"sector_size\":512}"
#define PART(index, start, length)                                                                 \
    "{\"kind\":\"part\",\"index\":" index ",\"start\":" start ",\"length\":" length                \
    ",\"slot\":\"000\",\"description\":\"x\",\"state\":\"allocated\"}"

static void
a_table_and_its_rows(void **state)
{
    struct scene *s = *state;

    assert_int_equal(send(s, PART("0", "1", "2")), -1); /* no table yet */
    assert_int_equal(send(s, TABLE), 0);
    assert_int_equal(send(s, TABLE), -1); /* a second one */
    assert_int_equal(send(s, PART("0", "2048", "100")), 0);
    assert_int_equal(s->report.table.n_parts, 1);
    assert_int_equal(s->report.table.parts[0].start, 2048);
    assert_int_equal(s->report.table.parts[0].state, PART_ALLOCATED);
}

static void
absurd_rows_are_refused(void **state)
{
    struct scene *s = *state;

    assert_int_equal(send(s, TABLE), 0);
    assert_int_equal(send(s, PART("0", "-1", "1")), -1);
    assert_int_equal(send(s, PART("0", "9223372036854775807", "1")), -1);
    assert_int_equal(send(s, PART("0", "1152921504606846976", "1")), -1); /* × 512 overflows */
    assert_int_equal(send(s, PART("0", "1.5", "1")), -1);
    assert_int_equal(send(s, PART("\"0\"", "1", "1")), -1);
    assert_int_equal(send(s, "{\"kind\":\"part\",\"index\":0,\"start\":1,\"length\":1,\"slot\":"
                             "\"0\",\"description\":\"x\",\"state\":\"odd\"}"),
                     -1);
}

static void
absurd_tables_are_refused(void **state)
{
    struct scene *s = *state;

    assert_int_equal(send(s, "{\"kind\":\"table\",\"type\":\"dos\",\"description\":\"\","
                             "\"sector_size\":0}"),
                     -1);
    assert_int_equal(send(s, "{\"kind\":\"table\",\"type\":\"dos\",\"description\":\"\","
                             "\"sector_size\":4294967296}"),
                     -1);
    assert_false(s->report.table.found);
}

static void
a_volume_has_one_file_system(void **state)
{
    static const char fs[] =
        "{\"kind\":\"fs\",\"type\":\"ext4\",\"block_size\":1024,\"cluster_size\":1024,"
        "\"block_count\":1,\"first_block\":0,\"last_block\":0,\"first_inode\":1,\"last_inode\":2}";
    struct scene *s = *state;

    assert_int_equal(send(s, fs), -1); /* belongs to no volume */
    s->target.volume = &s->volume;
    assert_int_equal(send(s, fs), 0);
    assert_int_equal(send(s, fs), -1);
    assert_int_equal(send(s, TABLE), -1);
    assert_string_equal(s->volume.fs->type, "ext4");
}

/* The writers rely on rows and file systems being whole. */
static void
half_a_row_is_not_kept(void **state)
{
    struct scene *s = *state;

    assert_int_equal(send(s, TABLE), 0);
    assert_int_equal(send(s, PART("0", "1152921504606846976", "1")), -1);
    assert_int_equal(send(s, "{\"kind\":\"part\",\"index\":0,\"start\":1,\"length\":1,\"slot\":"
                             "\"0\",\"description\":\"x\",\"state\":\"meta\","
                             "\"attributes\":\"0xyz\"}"),
                     -1);
    assert_int_equal(s->report.table.n_parts, 0);
    s->target.volume = &s->volume;
    assert_int_equal(send(s, "{\"kind\":\"fs\",\"label\":\"x\"}"), -1);
    assert_null(s->volume.fs);
}

static void
a_gpt_header_comes_once(void **state)
{
    static const char gpt[] =
        "{\"kind\":\"gpt\",\"copy\":\"backup\",\"lba\":9,\"my_lba\":9,\"alternate_lba\":1,"
        "\"first_usable\":3,\"last_usable\":8,\"entries_lba\":2,\"entry_count\":4,"
        "\"entry_size\":128,\"header_crc\":1,\"header_crc_is\":1,\"entries_crc\":2,"
        "\"entries_crc_is\":2,\"header_crc_ok\":true,\"disk_guid\":\"x\"}";
    struct scene *s = *state;

    assert_int_equal(send(s, "{\"kind\":\"gpt\",\"copy\":\"third\"}"), -1);
    assert_int_equal(send(s, "{\"kind\":\"gpt\",\"copy\":\"backup\",\"lba\":1}"), -1);
    assert_false(s->report.table.gpt[GPT_BACKUP].present);
    assert_int_equal(send(s, gpt), 0);
    assert_int_equal(send(s, gpt), -1);
    assert_true(s->report.table.gpt[GPT_BACKUP].header_crc_ok);
    assert_false(s->report.table.gpt[GPT_BACKUP].entries_crc_ok);
}

static void
top_files_are_few_and_agree(void **state)
{
    struct scene *s = *state;

    s->target.volume = &s->volume;
    assert_int_equal(send(s, "{\"kind\":\"top\",\"files\":[{\"path\":\"/a\",\"inode\":1,"
                             "\"state\":\"deleted\",\"size\":1,\"slack\":7,\"nonzero\":7}]}"),
                     0);
    assert_int_equal(s->volume.n_top, 1);
    assert_int_equal(s->volume.top[0].state, FILE_DELETED);
    assert_int_equal(send(s, "{\"kind\":\"top\",\"files\":[]}"), -1); /* a second one */
}

static void
top_files_that_disagree_are_refused(void **state)
{
    struct scene *s = *state;

    s->target.volume = &s->volume;
    assert_int_equal(send(s, "{\"kind\":\"top\",\"files\":[{\"inode\":1,\"state\":\"deleted\","
                             "\"size\":1,\"slack\":6,\"nonzero\":7}]}"),
                     -1);
}

static void
free_space_has_one_size(void **state)
{
    struct scene *s = *state;

    s->target.volume = &s->volume;
    assert_int_equal(send(s, "{\"kind\":\"unallocated\",\"blocks\":1,\"bytes\":512,"
                             "\"tally\":{\"areas\":1,\"bytes\":1024}}"),
                     -1);
    assert_int_equal(send(s, "{\"kind\":\"unallocated\",\"blocks\":1,\"bytes\":512,"
                             "\"tally\":{\"areas\":1,\"bytes\":512}}"),
                     0);
}

/* Figures so far are kept if nothing follows, and replaced by those that do. */
static void
slack_may_come_in_parts(void **state)
{
    struct scene *s = *state;
    struct slack figures = {.incomplete = true};
    int wanted[] = {0, 0, -1};

    s->target.volume = &s->volume;
    for (size_t i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        json_t *m = json_object();

        figures.of[FILE_ALLOCATED].files = i + 1;
        figures.incomplete = i == 0;
        (void)json_object_set_new(m, "slack", slack_to_json(&figures));
        assert_int_equal(parser_reply_take(&s->target, "slack", m, &err), wanted[i]);
        json_decref(m);
    }
    assert_int_equal(s->volume.slack.of[FILE_ALLOCATED].files, 2);
    assert_false(s->volume.slack.incomplete);
}

static void
volume_slack_fits_into_its_volume(void **state)
{
    struct scene *s = *state;

    s->target.volume = &s->volume;
    assert_int_equal(
        send(s, "{\"kind\":\"volume-slack\",\"tally\":{\"areas\":1,\"bytes\":1048577}}"), -1);
    assert_int_equal(
        send(s, "{\"kind\":\"volume-slack\",\"tally\":{\"areas\":1,\"bytes\":1048576}}"), 0);
}

static void
findings_are_bounded(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 3000; i++)
        assert_int_equal(send(s, "{\"kind\":\"finding\",\"code\":\"c\",\"text\":\"t\"}"), 0);
    assert_true(s->report.n_findings <= 1001);
    assert_int_equal(send(s, "{\"kind\":\"finding\",\"code\":\"c\"}"), -1);
}

static void
unknown_kinds_are_refused(void **state)
{
    struct scene *s = *state;

    assert_int_equal(send(s, "{\"kind\":\"exec\"}"), -1);
    assert_int_equal(send(s, "{}"), -1);
    assert_int_equal(send(s, "{\"kind\":\"gap\",\"index\":0,\"tally\":{}}"), -1);
}

static void
names_of_reports(void **state)
{
    static const char *const cases[][2] = {
        {"/a/EV-01.manifest.json", "EV-01"},
        {"EV-01.E01", "EV-01"},
        {"EV-01.e01", "EV-01"},
        {"x/EV-01.001", "EV-01"},
        {"EV.01.raw", "EV.01"},
        {"disk.dd", "disk"},
        {".raw", ".raw"},
        {"noextension", "noextension"},
        {"a.raw/b", "b"},
        {"weird.E02", "weird"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *name = facts_name(cases[i][0]);

        assert_string_equal(name, cases[i][1]);
        free(name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_and_its_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(absurd_rows_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(absurd_tables_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_volume_has_one_file_system, setup, teardown),
        cmocka_unit_test_setup_teardown(half_a_row_is_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gpt_header_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(top_files_are_few_and_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(top_files_that_disagree_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(free_space_has_one_size, setup, teardown),
        cmocka_unit_test_setup_teardown(slack_may_come_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(volume_slack_fits_into_its_volume, setup, teardown),
        cmocka_unit_test_setup_teardown(findings_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_kinds_are_refused, setup, teardown),
        cmocka_unit_test(names_of_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
