#include "tests/lib/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "acquire/device/drive_answer.h"
#include "acquire/device/drive_facts.h"
#include "acquire/device/drive_health.h"
#include "common/json.h"

/* --- smartctl's document ------------------------------------------------------------------------
 */

static const char ata_document[] =
    "{\"json_format_version\":[1,0],\"smartctl\":{\"version\":[7,3],\"exit_status\":0},"
    "\"smart_status\":{\"passed\":true},\"ata_smart_attributes\":{\"revision\":10,\"table\":["
    "{\"id\":5,\"name\":\"Reallocated_Sector_Ct\",\"raw\":{\"value\":8,\"string\":\"8\"}},"
    "{\"id\":197,\"raw\":{\"value\":4294967299}},{\"id\":9,\"raw\":{\"value\":1}}]},"
    "\"power_on_time\":{\"hours\":36055},\"power_cycle_count\":279,"
    "\"temperature\":{\"current\":36}}";

static json_t *
parse(const char *text)
{
    return drive_health_parse(text, strlen(text));
}

static long long
number(const json_t *v, const char *key)
{
    const json_t *one = json_object_get(v, key);

    assert_true(json_is_integer(one));
    return json_integer_value(one);
}

static void
test_health_of_ata(void **state)
{
    json_t *v = parse(ata_document);
    char *text;

    (void)state;
    assert_non_null(v);
    assert_true(json_is_true(json_object_get(v, "passed")));
    assert_int_equal(number(v, "temperature"), 36);
    assert_int_equal(number(v, "power_on_hours"), 36055);
    assert_int_equal(number(v, "power_cycles"), 279);
    assert_int_equal(number(v, "reallocated_sectors"), 8);
    assert_int_equal(number(v, "pending_sectors"), 3); /* what stands above 32 bits is no count */
    assert_string_equal(json_string_value(json_object_get(v, "tool")), "smartctl 7.3");
    text = drive_health_text(v);
    assert_string_equal(text, "passed, 36 degrees, 36055 power-on hours, 8 reallocated, 3 pending");
    free(text);
    json_decref(v);
}

static void
test_health_of_nvme(void **state)
{
    json_t *v = parse("{\"smart_status\":{\"passed\":false,\"nvme\":{\"value\":4}},"
                      "\"nvme_smart_health_information_log\":{\"critical_warning\":4,"
                      "\"available_spare\":3,\"percentage_used\":104,\"media_errors\":12}}");
    char *text;

    (void)state;
    assert_true(json_is_false(json_object_get(v, "passed")));
    assert_int_equal(number(v, "media_errors"), 12);
    assert_int_equal(number(v, "percentage_used"), 104);
    assert_int_equal(number(v, "available_spare"), 3);
    text = drive_health_text(v);
    assert_string_equal(text, "FAILED, 12 media errors, 104 % of its life used");
    free(text);
    json_decref(v);
}

/* Whatever is of another type than it should be is left out. */
static void
test_hostile_health(void **state)
{
    static const char *const no_documents[] = {"",        "[1]",     "7", "{\"a\":1,\"a\":2}",
                                               "{\"a\":", "\xff\xfe"};
    json_t *v = parse("{\"smart_status\":[],\"temperature\":{\"current\":\"hot\"},"
                      "\"power_on_time\":3,\"power_cycle_count\":-1,\"ata_smart_attributes\":{"
                      "\"table\":[{\"id\":5},3,null,"
                      "{\"id\":\"197\",\"raw\":{\"value\":1}}]},\"smartctl\":{\"version\":[],"
                      "\"messages\":[{\"string\":\"evil \\u001b[31m\"},{},1,2,3,4,5]}}");
    const json_t *messages;

    (void)state;
    for (size_t i = 0; i < sizeof no_documents / sizeof no_documents[0]; i++)
        assert_null(parse(no_documents[i]));
    assert_non_null(v);
    assert_true(json_is_null(json_object_get(v, "passed")));
    assert_null(json_object_get(v, "temperature"));
    assert_null(json_object_get(v, "power_cycles"));
    assert_null(json_object_get(v, "reallocated_sectors"));
    assert_null(json_object_get(v, "pending_sectors"));
    messages = json_object_get(v, "messages");
    assert_int_equal(json_array_size(messages), 1);
    assert_string_equal(json_string_value(json_array_get(messages, 0)), "evil \\x1b[31m");
    json_decref(v);
}

/* --- what comes through the pipe ----------------------------------------------------------------
 */

static void
read_reply(const void *head, size_t n, const char *document, struct drive_reply *out)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], head, n), n);
    assert_int_equal(write(fds[1], document, strlen(document)), strlen(document));
    (void)close(fds[1]);
    drive_reply_read(fds[0], true, out);
    (void)close(fds[0]);
    assert_true(out->asked);
}

static void
test_reply(void **state)
{
    struct drive_answer a = {.magic = DRIVE_MAGIC, .smartctl = 1};
    struct drive_reply r;

    (void)state;
    read_reply(&a, sizeof a, ata_document, &r);
    assert_true(r.answered);
    assert_non_null(r.health);
    assert_string_equal(r.why, "");
    drive_reply_clear(&r);

    a.smartctl = 0;
    read_reply(&a, sizeof a, "", &r);
    assert_true(r.answered);
    assert_null(r.health);
    assert_non_null(strstr(r.why, "not installed"));
    drive_reply_clear(&r);

    a.smartctl = 1;
    read_reply(&a, sizeof a, "{\"cut", &r);
    assert_null(r.health);
    assert_non_null(strstr(r.why, "no JSON"));
    drive_reply_clear(&r);

    for (size_t n = 0; n < sizeof a; n += 7) {
        read_reply(&a, n, "", &r);
        assert_false(r.answered);
        assert_non_null(strstr(r.why, "did not answer"));
    }
    a.magic++;
    read_reply(&a, sizeof a, ata_document, &r);
    assert_false(r.answered);
}

/* What locks a drive: its own answer past a bridge, what the kernel knows, OPAL; nothing that is no
   lock. */
static void
test_locked(void **state)
{
    struct drive_answer a = {.magic = DRIVE_MAGIC, .locked = DEVICE_LOCKED_OPAL};
    struct drive_reply r;

    (void)state;
    read_reply(&a, sizeof a, "", &r);
    assert_int_equal(drive_locked_by(&r, false), DEVICE_LOCKED_OPAL);
    assert_int_equal(drive_locked_by(&r, true), DEVICE_LOCKED_ATA);
    r.ata.identified = ATA_ANSWERED;
    r.ata.identify[0] = 0x40;
    r.ata.identify[2 * 128] = 0x04 | 0x02 | 0x01; /* word 128: locked, enabled, supported */
    assert_int_equal(drive_locked_by(&r, false), DEVICE_LOCKED_ATA);
    a.locked = 77;
    read_reply(&a, sizeof a, "", &r);
    assert_int_equal(drive_locked_by(&r, false), DEVICE_NOT_LOCKED);
}

/* A bridge that shows 4096-byte sectors of a drive that has 512, and one that hides its end. */
static void
test_bridge(void **state)
{
    struct drive_reply r = {.asked = true, .answered = true, .ata.identified = ATA_ANSWERED};
    struct device *device = calloc(1, sizeof *device);
    char *text;

    (void)state;
    assert_non_null(device);
    device->logical_sector_size = 512;
    device->size = 2048 * 512;
    r.ata.identify[0] = 0x40;
    r.ata.identify[121] = 0x08; /* words 60 and 61: 2048 sectors */
    assert_null(drive_bridge_text(&r, device));
    device->logical_sector_size = 4096;
    text = drive_bridge_text(&r, device);
    assert_non_null(strstr(text, "sectors of 512 bytes"));
    assert_non_null(strstr(text, "sectors of 4096"));
    free(text);
    device->logical_sector_size = 512;
    device->size -= 512;
    text = drive_bridge_text(&r, device);
    assert_non_null(strstr(text, "1048576 bytes"));
    free(text);
    r.ata.identified = ATA_REFUSED;
    assert_null(drive_bridge_text(&r, device));
    free(device);
}

static void
test_nothing_known(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct device_identity *identity = calloc(1, sizeof *identity);
    const struct drive_reply none = {0};
    json_t *v = json_object();

    (void)state;
    assert_true(device && identity);
    drive_facts_add(v, device, identity, &none);
    assert_true(json_is_null(json_object_get(v, "usb")));
    assert_true(json_is_null(json_object_get(v, "write_blocker")));
    assert_true(json_is_null(json_object_get(v, "trim")));
    assert_true(json_is_null(json_object_get(json_object_get(v, "hidden"), "hpa")));
    assert_true(json_is_null(json_object_get(json_object_get(v, "hidden"), "dco")));
    assert_int_equal(json_array_size(json_object_get(v, "other_areas")), 0);
    json_decref(v);
    free(identity);
    free(device);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_of_ata),  cmocka_unit_test(test_health_of_nvme),
        cmocka_unit_test(test_hostile_health), cmocka_unit_test(test_reply),
        cmocka_unit_test(test_locked),         cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_nothing_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
