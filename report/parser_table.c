/*
 * The partition table through libtsk: the rows that mmls prints, in its order, and what stands in
 * the sectors that belong to no partition.
 */
#include "common/json.h"
#include "common/text.h"
#include "report/parser.h"
#include "report/parser_emit.h"

/* A table with more rows than this is cut, and that is a finding. */
#define ROWS_MAX 2048

/* mmls shows "Meta", dashes where no entry says so, or the entry's place: table and slot, or the
   slot alone. (An entry can be of free space: Apple_Free.) */
static char *
slot_text(const TSK_VS_PART_INFO *part)
{
    if (part->flags & TSK_VS_PART_FLAG_META)
        return xstrdup("Meta");
    if ((part->flags & TSK_VS_PART_FLAG_UNALLOC) && part->slot_num == -1)
        return xstrdup("-------");
    if (part->table_num == -1)
        return xasprintf("%.3d", part->slot_num);
    return xasprintf("%.3d:%.3d", part->table_num, part->slot_num);
}

static const char *
state_name(const TSK_VS_PART_INFO *part)
{
    if (part->flags & TSK_VS_PART_FLAG_META)
        return "meta";
    return part->flags & TSK_VS_PART_FLAG_ALLOC ? "allocated" : "unallocated";
}

static void
send_part(const TSK_VS_PART_INFO *part, const struct gpt *gpt)
{
    json_t *message = emit_new("part");
    struct gpt_entry entry;
    bool known = strcmp(state_name(part), "allocated") == 0 && gpt_find(gpt, part->start, &entry);
    /* libtsk keeps the slot in eight bits with a sign, which is too little for some GPTs. */
    char *slot = known ? xasprintf("%.3zu", entry.slot) : slot_text(part);

    json_set_u64(message, "index", part->addr);
    json_set_u64(message, "start", part->start);
    json_set_u64(message, "length", part->len);
    emit_text(message, "slot", slot);
    emit_text(message, "description", part->desc ? part->desc : "");
    emit_text(message, "state", state_name(part));
    if (known) {
        emit_text(message, "type_guid", entry.type_guid);
        emit_text(message, "type_name", entry.type_name);
        emit_text(message, "guid", entry.guid);
        json_set_textf(message, "attributes", "0x%016jx", (uintmax_t)entry.attributes);
    }
    emit_send(message);
    free(slot);
}

static void
send_table(const TSK_VS_INFO *vs)
{
    json_t *message = emit_new("table");

    emit_text(message, "type", tsk_vs_type_toname(vs->vstype));
    emit_text(message, "description", tsk_vs_type_todesc(vs->vstype));
    json_set_u64(message, "sector_size", vs->block_size);
    json_set_bool(message, "backup", vs->is_backup != 0);
    emit_send(message);
}

/* An unallocated row also spans the table's own sectors that lie within it; they are no gap. */
static void
look_into_gap(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *row)
{
    uint64_t sectors = p->length / vs->block_size;
    struct ranges gap = {0};
    struct tally tally = {0};
    json_t *message = emit_new("gap");
    uint64_t left = PARSER_EXAMINE_MAX;

    if (row->start < sectors)
        ranges_add(&gap, row->start,
                   row->len < sectors - row->start ? row->len : sectors - row->start);
    for (const TSK_VS_PART_INFO *m = vs->part_list; m; m = m->next) {
        if ((m->flags & TSK_VS_PART_FLAG_META) && m->start >= row->start && m->len <= row->len &&
            m->start - row->start <= row->len - m->len)
            ranges_remove(&gap, m->start, m->len);
    }
    for (size_t i = 0; i < gap.n; i++) {
        uint64_t n = gap.v[i].length * vs->block_size;
        uint64_t look = n < left ? n : left;

        tally_area(&tally, n);
        parser_examine(p, gap.v[i].offset * vs->block_size, look, &tally);
        left -= look;
    }
    json_set_u64(message, "index", row->addr);
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
    ranges_free(&gap);
}

/* libtsk takes the protective MBR of a GPT disk for a DOS table where the GPT itself is damaged. */
static void
check_protective(struct parser_image *p, const TSK_VS_INFO *vs)
{
    static const char mark[] = "(0xee)"; /* libtsk's descriptions end with the type */
    struct gpt *backup;

    for (const TSK_VS_PART_INFO *part = vs->part_list; part; part = part->next) {
        size_t n = part->desc ? strlen(part->desc) : 0;

        if (n < sizeof mark || strcmp(part->desc + n - (sizeof mark - 1), mark) != 0)
            continue;
        backup = gpt_load(p, vs->block_size, true);
        emit_finding("gpt-damaged", "the disk has a protective MBR but no usable primary GPT; %s",
                     backup ? "its backup stands at the end of the disk"
                            : "no backup stands at the end of the disk");
        return;
    }
}

void
parser_table(struct parser_image *p)
{
    TSK_VS_INFO *vs = tsk_vs_open(&p->tsk, 0, TSK_VS_TYPE_DETECT);
    struct gpt *gpt = NULL;
    size_t rows = 0;

    if (!vs) {
        uint32_t why = tsk_error_get_errno();

        /* The plain answers for an image without a table. */
        if (why != 0 && why != TSK_ERR_VS_UNKTYPE && why != TSK_ERR_VS_ENCRYPTED)
            emit_finding("partition-table", "the partition table cannot be read: %s",
                         tsk_error_get());
        return;
    }
    send_table(vs);
    if (vs->vstype == TSK_VS_TYPE_DOS)
        check_protective(p, vs);
    if (vs->vstype == TSK_VS_TYPE_GPT)
        gpt = gpt_load(p, vs->block_size, vs->is_backup != 0);
    for (const TSK_VS_PART_INFO *part = vs->part_list; part && rows < ROWS_MAX; part = part->next) {
        send_part(part, gpt);
        rows++;
    }
    if (rows == ROWS_MAX)
        emit_finding("partition-table", "the table is cut off after %d rows", ROWS_MAX);
    rows = 0;
    for (const TSK_VS_PART_INFO *part = vs->part_list; part && rows < ROWS_MAX; part = part->next) {
        if ((part->flags & TSK_VS_PART_FLAG_UNALLOC) && !(part->flags & TSK_VS_PART_FLAG_META))
            look_into_gap(p, vs, part);
        rows++;
    }
}

void
parser_examine(struct parser_image *p, uint64_t offset, uint64_t n, struct tally *t)
{
    static uint8_t buf[1 << 17];

    if (n > PARSER_EXAMINE_MAX)
        n = PARSER_EXAMINE_MAX;
    while (n > 0) {
        ssize_t got = parser_image_read(p, buf, n < sizeof buf ? n : sizeof buf, offset);

        if (got <= 0)
            return;
        tally_look(t, buf, (size_t)got);
        offset += (uint64_t)got;
        n -= (uint64_t)got;
        emit_progress(0, 0);
    }
}
