#include "acquire/device/drive_health.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define ATTRIBUTES_MAX 256
#define MESSAGES_MAX 4
#define MESSAGE_MAX 200
#define TEMPERATURE "temperature"

static void
set(json_t *object, const char *key, json_t *v)
{
    (void)json_object_set_new(object, key, v);
}

/* A number that is there, whole, and not below zero but for a temperature. */
static void
take_number(json_t *out, const char *key, const json_t *v)
{
    if (json_is_integer(v) && (json_integer_value(v) >= 0 || strcmp(key, TEMPERATURE) == 0))
        set(out, key, json_integer(json_integer_value(v)));
}

static const json_t *
find(const json_t *v, const char *path)
{
    char step[64];
    size_t n;

    for (; *path; path += n + (path[n] == '.')) {
        n = strcspn(path, ".");
        if (n >= sizeof step)
            return NULL;
        memcpy(step, path, n);
        step[n] = '\0';
        v = json_object_get(v, step);
    }
    return v;
}

/* Where smartctl puts what is alike for all drives, or for one kind of them. */
static const struct {
    const char *path, *key;
} numbers[] = {
    {"temperature.current", TEMPERATURE},
    {"power_on_time.hours", "power_on_hours"},
    {"power_cycle_count", "power_cycles"},
    {"scsi_grown_defect_list", "grown_defects"},
    {"scsi_percentage_used_endurance_indicator", "percentage_used"},
    {"scsi_error_counter_log.read.total_uncorrected_errors", "read_errors_uncorrected"},
    {"nvme_smart_health_information_log.media_errors", "media_errors"},
    {"nvme_smart_health_information_log.percentage_used", "percentage_used"},
    {"nvme_smart_health_information_log.available_spare", "available_spare"},
    {"nvme_smart_health_information_log.critical_warning", "critical_warning"},
    {"nvme_smart_health_information_log.num_err_log_entries", "error_log_entries"},
    {"nvme_smart_health_information_log.unsafe_shutdowns", "unsafe_shutdowns"},
    {"nvme_smart_health_information_log.data_units_written", "data_units_written"},
    {"nvme_total_capacity", "total_capacity"},
    {"nvme_unallocated_capacity", "unallocated_capacity"},
};

/* SMART attributes whose raw value is a count on every make. Only the lower 32 bits are: some put
   other figures above. */
static const struct {
    json_int_t id;
    const char *key;
} attributes[] = {
    {5, "reallocated_sectors"}, {187, "reported_uncorrectable"}, {196, "reallocation_events"},
    {197, "pending_sectors"},   {198, "offline_uncorrectable"},  {199, "interface_crc_errors"},
};

static void
take_attributes(json_t *out, const json_t *table)
{
    size_t n = json_array_size(table) < ATTRIBUTES_MAX ? json_array_size(table) : ATTRIBUTES_MAX;

    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(table, i);
        const json_t *id = json_object_get(one, "id");
        const json_t *raw = find(one, "raw.value");

        for (size_t k = 0; k < sizeof attributes / sizeof attributes[0]; k++) {
            if (json_is_integer(id) && json_is_integer(raw) &&
                json_integer_value(id) == attributes[k].id)
                json_set_u64(out, attributes[k].key,
                             (uint64_t)json_integer_value(raw) & UINT32_MAX);
        }
    }
}

static void
take_tool(json_t *out, const json_t *v)
{
    const json_t *version = find(v, "smartctl.version");
    const json_t *major = json_array_get(version, 0);
    const json_t *minor = json_array_get(version, 1);

    if (json_is_integer(major) && json_is_integer(minor))
        json_set_textf(out, "tool", "smartctl %" PRId64 ".%" PRId64,
                       (int64_t)json_integer_value(major), (int64_t)json_integer_value(minor));
}

/* Why smartctl found less than it should. */
static void
take_messages(json_t *out, const json_t *messages)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(messages) && i < MESSAGES_MAX; i++) {
        const char *text = json_text_or_null(json_array_get(messages, i), "string");
        AUTO_FREE char *cut = text ? xstrndup(text, MESSAGE_MAX) : NULL;
        AUTO_FREE char *safe = cut ? text_printable(cut) : NULL;

        if (safe)
            (void)json_array_append_new(list, json_string(safe));
    }
    if (json_array_size(list) > 0)
        set(out, "messages", list);
    else
        json_decref(list);
}

json_t *
drive_health_parse(const char *text, size_t n)
{
    json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *passed = find(v, "smart_status.passed");
    json_t *out;

    if (!json_is_object(v)) {
        json_decref(v);
        return NULL;
    }
    out = json_object();
    take_tool(out, v);
    set(out, "passed", json_is_boolean(passed) ? json_boolean(json_is_true(passed)) : json_null());
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        take_number(out, numbers[i].key, find(v, numbers[i].path));
    take_attributes(out, find(v, "ata_smart_attributes.table"));
    take_messages(out, find(v, "smartctl.messages"));
    json_decref(v);
    return out;
}

static const struct {
    const char *key, *text;
} in_words[] = {
    {TEMPERATURE, "degrees"},
    {"power_on_hours", "power-on hours"},
    {"reallocated_sectors", "reallocated"},
    {"pending_sectors", "pending"},
    {"offline_uncorrectable", "offline uncorrectable"},
    {"media_errors", "media errors"},
    {"grown_defects", "grown defects"},
    {"percentage_used", "% of its life used"},
};

char *
drive_health_text(const json_t *health)
{
    const json_t *passed = json_object_get(health, "passed");
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    if (!f)
        return xstrdup("");
    (void)fputs(json_is_true(passed)    ? "passed"
                : json_is_false(passed) ? "FAILED"
                                        : "the drive does not judge itself",
                f);
    for (size_t i = 0; i < sizeof in_words / sizeof in_words[0]; i++) {
        const json_t *v = json_object_get(health, in_words[i].key);

        if (json_is_integer(v))
            (void)fprintf(f, ", %" PRId64 " %s", (int64_t)json_integer_value(v), in_words[i].text);
    }
    if (fclose(f) != 0) {
        free(out);
        return xstrdup("");
    }
    return out;
}
