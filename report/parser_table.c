/*
 * The partition table through libtsk: the rows that mmls prints, in its order, and what stands in
 * the sectors that belong to no partition.
 */
#include "common/json.h"
#include "common/text.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/parser_gpt.h"

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
send_gpt_names(const struct gpt_entry *entry, json_t *message)
{
    char *flags = gpt_flags(entry);

    emit_text(message, "label", entry->name[0] ? entry->name : NULL);
    emit_text(message, "flags", flags);
    free(flags);
}

/* Sectors that no disk has: the row says nothing but that it is wrong. */
static bool
is_absurd(const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part)
{
    uint64_t max = (UINT64_C(1) << 60) / vs->block_size;

    return part->start > max || part->len > max;
}

static void
send_part(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
          const struct gpt *gpt)
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
        send_gpt_names(&entry, message);
    }
    parser_entry(p, vs, part, message);
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

    if (row->start < sectors)
        ranges_add(&gap, row->start,
                   row->len < sectors - row->start ? row->len : sectors - row->start);
    for (const TSK_VS_PART_INFO *m = vs->part_list; m; m = m->next) {
        if ((m->flags & TSK_VS_PART_FLAG_META) && m->start >= row->start && m->len <= row->len &&
            m->start - row->start <= row->len - m->len)
            ranges_remove(&gap, m->start, m->len);
    }
    for (size_t i = 0; i < gap.n; i++) {
        gap.v[i].offset *= vs->block_size;
        gap.v[i].length *= vs->block_size;
        tally_area(&tally, gap.v[i].length);
    }
    parser_examine(p, &gap, &tally);
    json_set_u64(message, "index", row->addr);
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
    ranges_free(&gap);
}

/* Whether anything known stands at the start of a partition, if sectors have that size. */
static bool
known_content(struct parser_image *p, const TSK_VS_INFO *vs, uint32_t sector_size)
{
    for (const TSK_VS_PART_INFO *part = vs->part_list; part; part = part->next) {
        if ((part->flags & TSK_VS_PART_FLAG_ALLOC) && part->start <= p->length / sector_size &&
            parser_signature_at(p, part->start * sector_size))
            return true;
    }
    return false;
}

/* A DOS table does not say what sectors it counts in. Where nothing known stands at the starts of
   its partitions, but does if sectors have 4,096 bytes, it was made for such a disk. */
static TSK_VS_INFO *
fit_sector_size(struct parser_image *p, TSK_VS_INFO *vs)
{
    static const uint32_t sizes[] = {4096, 512};
    TSK_VS_INFO *other;

    if (vs->vstype != TSK_VS_TYPE_DOS || known_content(p, vs, vs->block_size))
        return vs;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] == vs->block_size || !known_content(p, vs, sizes[i]))
            continue;
        p->tsk.sector_size = sizes[i];
        other = tsk_vs_open(&p->tsk, 0, TSK_VS_TYPE_DOS);
        if (other)
            return other; /* the first one is not freed: libtsk's memory dies with the process */
        p->tsk.sector_size = vs->block_size;
    }
    return vs;
}

static void
send_rows(struct parser_image *p, const TSK_VS_INFO *vs, const struct gpt *gpt)
{
    size_t rows = 0;

    for (const TSK_VS_PART_INFO *part = vs->part_list; part && rows < ROWS_MAX; part = part->next) {
        if (is_absurd(vs, part))
            emit_finding("partition-table",
                         "row %ju is left out: it has %ju sectors from sector %ju on",
                         (uintmax_t)part->addr, (uintmax_t)part->len, (uintmax_t)part->start);
        else
            send_part(p, vs, part, gpt);
        rows++;
    }
    if (rows == ROWS_MAX)
        emit_finding("partition-table", "the table is cut off after %d rows", ROWS_MAX);
    rows = 0;
    for (const TSK_VS_PART_INFO *part = vs->part_list; part && rows < ROWS_MAX; part = part->next) {
        if ((part->flags & TSK_VS_PART_FLAG_UNALLOC) && !(part->flags & TSK_VS_PART_FLAG_META) &&
            !is_absurd(vs, part))
            look_into_gap(p, vs, part);
        rows++;
    }
}

void
parser_table(struct parser_image *p)
{
    TSK_VS_INFO *vs = tsk_vs_open(&p->tsk, 0, TSK_VS_TYPE_DETECT);
    struct gpt *primary;
    struct gpt *backup;

    if (!vs) {
        uint32_t why = tsk_error_get_errno();

        /* The plain answers for an image without a table. */
        if (why != 0 && why != TSK_ERR_VS_UNKTYPE && why != TSK_ERR_VS_ENCRYPTED)
            emit_finding("partition-table", "the partition table cannot be read: %s",
                         tsk_error_get());
        return;
    }
    vs = fit_sector_size(p, vs);
    send_table(vs);
    primary = gpt_load(p, vs->block_size, GPT_PRIMARY, NULL);
    backup = gpt_load(p, vs->block_size, GPT_BACKUP, primary);
    gpt_check(p, vs, primary, backup);
    parser_table_check(p, vs);
    send_rows(p, vs, vs->vstype != TSK_VS_TYPE_GPT ? NULL : vs->is_backup ? backup : primary);
    gpt_free(primary);
    gpt_free(backup);
}
