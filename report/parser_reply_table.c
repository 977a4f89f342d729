/*
 * The messages about the partition table (parser_reply.h).
 */
#include "common/json.h"
#include "common/parser_field.h"
#include "common/text.h"
#include "report/parser_reply.h"

#define PARTS_MAX 2048

int
parser_take_table(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;

    if (t->volume || table->found)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (field_text(m, "type", &table->type, err) != 0 ||
        field_text(m, "description", &table->description, err) != 0 ||
        field_number(m, "sector_size", &table->sector_size, err) != 0)
        return -1;
    if (table->sector_size == 0 || table->sector_size > 1 << 20)
        return err_set(err, OUTCOME_FAILED, "the sector size is absurd");
    table->backup = json_is_true(json_object_get(m, "backup"));
    table->found = true;
    return 0;
}

static int
read_part(const json_t *m, struct partition *p, uint64_t sector_size, struct err *err)
{
    const struct {
        const char *key;
        char **out;
    } texts[] = {
        {"type_guid", &p->type_guid}, {"type_name", &p->type_name}, {"guid", &p->guid},
        {"type_code", &p->type_code}, {"label", &p->label},         {"flags", &p->flags},
    };
    size_t state;

    if (field_number(m, "index", &p->index, err) != 0 ||
        field_number(m, "start", &p->start, err) != 0 ||
        field_number(m, "length", &p->length, err) != 0 ||
        field_text(m, "slot", &p->slot, err) != 0 ||
        field_text(m, "description", &p->description, err) != 0 ||
        field_choice(m, "state", part_state_names, 3, &state, err) != 0)
        return -1;
    p->state = (enum part_state)state;
    if (p->start > FIELD_NUMBER_MAX / sector_size || p->length > FIELD_NUMBER_MAX / sector_size)
        return err_set(err, OUTCOME_FAILED, "a row's sectors are absurd");
    if (json_object_get(m, "attributes") && field_bits(m, "attributes", &p->attributes, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (field_optional(m, texts[i].key, texts[i].out, err) != 0)
            return -1;
    }
    return 0;
}

int
parser_take_part(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;
    struct partition p = {0};

    if (t->volume || !table->found || table->n_parts >= PARTS_MAX)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    /* A row is whole or not there: the writers rely on it. */
    if (read_part(m, &p, table->sector_size, err) != 0) {
        partition_clear(&p);
        return -1;
    }
    table->parts = xrealloc(table->parts, table->n_parts + 1, sizeof *table->parts);
    table->parts[table->n_parts++] = p;
    return 0;
}

int
parser_take_gap(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;
    uint64_t index;

    if (field_number(m, "index", &index, err) != 0)
        return -1;
    for (size_t i = 0; i < table->n_parts; i++) {
        struct partition *p = &table->parts[i];

        if (p->index != index || p->has_gap)
            continue;
        p->has_gap = true;
        return tally_from_json(json_object_get(m, "tally"), &p->gap, err);
    }
    return err_set(err, OUTCOME_FAILED, "there is no such row");
}

int
parser_take_gpt(struct reply_target *t, const json_t *m, struct err *err)
{
    struct gpt_header h = {.present = true};
    size_t copy;
    const struct field_u64 numbers[] = {
        {"lba", &h.lba},
        {"my_lba", &h.my_lba},
        {"alternate_lba", &h.alternate_lba},
        {"first_usable", &h.first_usable},
        {"last_usable", &h.last_usable},
        {"entries_lba", &h.entries_lba},
        {"entry_count", &h.entry_count},
        {"entry_size", &h.entry_size},
        {"header_crc", &h.header_crc},
        {"header_crc_is", &h.header_crc_is},
        {"entries_crc", &h.entries_crc},
        {"entries_crc_is", &h.entries_crc_is},
    };

    if (t->volume || field_choice(m, "copy", gpt_copy_names, GPT_COPIES, &copy, err) != 0 ||
        t->report->table.gpt[copy].present)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (field_numbers(m, numbers, sizeof numbers / sizeof numbers[0], err) != 0)
        return -1;
    h.header_crc_ok = json_is_true(json_object_get(m, "header_crc_ok"));
    h.entries_crc_ok = json_is_true(json_object_get(m, "entries_crc_ok"));
    if (field_text(m, "disk_guid", &h.disk_guid, err) != 0) {
        free(h.disk_guid);
        return -1;
    }
    t->report->table.gpt[copy] = h;
    return 0;
}
