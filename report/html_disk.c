/*
 * The page's view of the disk: the partition table and the volumes. Drawings: html_picture.c.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"
#include "report/html.h"

/* Rows of one table; the JSON report has them all. */
#define PARTITION_ROWS 300

const char *
html_volume_type(const struct volume *v)
{
    if (v->fs)
        return v->fs->type;
    if (v->content)
        return v->content;
    return v->complete ? "no file system recognised" : "could not be parsed";
}

static void
guid_row(FILE *f, const struct partition *p)
{
    (void)fprintf(f, "<tr class=\"guids\"><td></td><td colspan=\"6\">");
    if (p->type_name) {
        html_plain(f, p->type_name);
        (void)fputs(" · ", f);
    }
    (void)fputs("type <span class=\"mono\">", f);
    html_plain(f, p->type_guid);
    (void)fputs("</span> · unique <span class=\"mono\">", f);
    html_plain(f, p->guid ? p->guid : "–");
    (void)fputs("</span>", f);
    if (p->attributes != 0)
        (void)fprintf(f, " · attributes 0x%016" PRIx64, p->attributes);
    (void)fputs("</td></tr>\n", f);
}

/* What the entry says besides, where that is not in the description already. */
static void
entry_extras(FILE *f, const struct partition *p)
{
    if (p->label && strcmp(p->label, p->description) != 0) {
        (void)fputs(" · ", f);
        html_text(f, p->label);
    }
    if (p->flags) {
        (void)fputs(" · <small>", f);
        html_text(f, p->flags);
        (void)fputs("</small>", f);
    }
}

static void
partition_row(FILE *f, const struct report *r, const struct partition *p)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f,
                  "<tr class=\"%s%s\"><td class=\"n\">%03" PRIu64 "</td><td class=\"mono slot\">",
                  part_state_names[p->state], p->type_guid ? " has-guids" : "", p->index);
    html_plain(f, p->slot);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->start);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->length > 0 ? p->start + p->length - 1 : p->start);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->length);
    (void)fprintf(f, "</td><td class=\"n\">%s</td><td class=\"w\">",
                  size_human(p->length * r->table.sector_size, human));
    html_text(f, p->description);
    entry_extras(f, p);
    (void)fputs("</td></tr>\n", f);
    if (p->type_guid)
        guid_row(f, p);
}

static void
checksum_cell(FILE *f, bool ok, uint64_t stored, uint64_t computed)
{
    if (ok)
        (void)fprintf(f, "<td class=\"mono\">%08" PRIx64 " correct</td>", stored);
    else
        (void)fprintf(f,
                      "<td class=\"mono\"><strong>%08" PRIx64 " wrong</strong>, of the content: "
                      "%08" PRIx64 "</td>",
                      stored, computed);
}

static void
gpt_row(FILE *f, const char *name, const struct gpt_header *h)
{
    if (!h->present) {
        (void)fprintf(f, "<tr><td>%s</td><td colspan=\"5\">not there</td></tr>\n", name);
        return;
    }
    (void)fprintf(f, "<tr class=\"has-guids\"><td>%s</td><td class=\"n\">", name);
    html_number(f, h->lba);
    (void)fputs("</td>", f);
    checksum_cell(f, h->header_crc_ok, h->header_crc, h->header_crc_is);
    checksum_cell(f, h->entries_crc_ok, h->entries_crc, h->entries_crc_is);
    (void)fprintf(f, "<td class=\"n\">%" PRIu64 " × %" PRIu64 "</td><td class=\"mono\">",
                  h->entry_count, h->entry_size);
    html_plain(f, h->disk_guid);
    (void)fprintf(
        f,
        "</td></tr>\n<tr class=\"guids\"><td></td><td colspan=\"5\">it says: this header in "
        "sector %" PRIu64 ", the other one in %" PRIu64 ", entries from %" PRIu64
        " on; usable are sectors %" PRIu64 " to %" PRIu64 "</td></tr>\n",
        h->my_lba, h->alternate_lba, h->entries_lba, h->first_usable, h->last_usable);
}

static void
gpt_copies(FILE *f, const struct table *t)
{
    if (!t->gpt[GPT_PRIMARY].present && !t->gpt[GPT_BACKUP].present)
        return;
    (void)fputs("<table class=\"grid\"><thead><tr><th>GPT copy</th><th class=\"n\">Sector</th>"
                "<th>Header checksum</th><th>Entries checksum</th><th class=\"n\">Entries × bytes"
                "</th><th>GUID of the disk</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < GPT_COPIES; i++)
        gpt_row(f, gpt_copy_names[i], &t->gpt[i]);
    (void)fputs("</tbody></table>\n", f);
}

void
html_partitions(FILE *f, const struct report *r)
{
    (void)fputs("<section id=\"partitions\"><h2>Disk layout</h2>\n", f);
    html_drawing(f, r);
    html_unreadable_map(f, r);
    if (!r->table.found) {
        (void)fputs("<p class=\"none\">No partition table was found: the image is taken as one "
                    "volume.</p></section>\n",
                    f);
        return;
    }
    (void)fputs("<p>", f);
    html_text(f, r->table.description);
    (void)fprintf(f,
                  ", counted in sectors of %" PRIu64 " bytes%s. The rows are those of "
                  "<span class=\"mono\">mmls</span>; rows marked Meta are the table itself and "
                  "lie over others.</p>\n",
                  r->table.sector_size,
                  r->table.backup ? "; <strong>the primary table is damaged, this is the backup at "
                                    "the end of the disk</strong>"
                                  : "");
    (void)fputs("<table class=\"grid\"><thead><tr><th class=\"n\">Row</th><th>Slot</th><th "
                "class=\"n\">First sector</th><th class=\"n\">Last sector</th><th class=\"n\">"
                "Sectors</th><th class=\"n\">Size</th><th>Description</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < r->table.n_parts && i < PARTITION_ROWS; i++)
        partition_row(f, r, &r->table.parts[i]);
    (void)fputs("</tbody></table>\n", f);
    if (r->table.n_parts > PARTITION_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      r->table.n_parts - PARTITION_ROWS);
    gpt_copies(f, &r->table);
    (void)fputs("</section>\n", f);
}

static void
fs_cells(FILE *f, const struct file_system *fs)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f, "<td class=\"n\">%s</td><td class=\"n\">",
                  size_human(fs->block_size * fs->block_count, human));
    html_number(f, fs->block_count);
    (void)fputs(" × ", f);
    html_number(f, fs->block_size);
    (void)fputs("<br><small>", f);
    html_number(f, fs->first_block);
    (void)fputs(" – ", f);
    html_number(f, fs->last_block);
    if (fs->cluster_size != fs->block_size) {
        (void)fputs(", clusters of ", f);
        html_number(f, fs->cluster_size);
    }
    (void)fputs("<br>entries ", f);
    html_number(f, fs->first_inode);
    (void)fputs(" – ", f);
    html_number(f, fs->last_inode);
    (void)fputs("</small></td></tr>\n", f);
}

/* What places all over a volume without a known header hold. */
static void
sample_remark(FILE *f, const struct volume *v)
{
    (void)fputs("<br><small>", f);
    html_number(f, tally_examined(&v->sample));
    if (tally_nonzero(&v->sample) == 0)
        (void)fputs(" bytes all over it are zero</small>", f);
    else
        (void)fprintf(f, " bytes all over it have %.4f bits of entropy a byte%s</small>",
                      tally_entropy(&v->sample),
                      v->looks_encrypted ? ": <strong>consistent with encryption</strong>, or with "
                                           "random data"
                                         : "");
}

static void
volume_times(FILE *f, const struct file_system *fs)
{
    for (size_t i = 0; i < fs->n_times; i++) {
        (void)fputs("<br><small>", f);
        html_text(f, fs->times[i].name);
        (void)fputs(" ", f);
        html_text(f, fs->times[i].time);
        (void)fputs("</small>", f);
    }
    if (fs->mounted_on) {
        (void)fputs("<br><small>mounted on ", f);
        html_text(f, fs->mounted_on);
        (void)fputs("</small>", f);
    }
}

/* Encryption, or how the file system was left and when. */
static void
volume_extras(FILE *f, const struct volume *v)
{
    const struct file_system *fs = v->fs;

    if (v->encrypted)
        (void)fputs(" <strong>(encrypted)</strong>", f);
    if (v->content_detail) {
        (void)fputs("<br><small>", f);
        html_text(f, v->content_detail);
        (void)fputs("</small>", f);
    }
    if (v->has_sample)
        sample_remark(f, v);
    if (!fs)
        return;
    if (fs->version) {
        (void)fputs(" <small>", f);
        html_text(f, fs->version);
        (void)fputs("</small>", f);
    }
    if (fs->state != FS_STATE_UNKNOWN) {
        (void)fprintf(f, "<br><small>%s",
                      fs->state == FS_STATE_DIRTY ? "<strong>dirty</strong>: " : "clean: ");
        html_text(f, fs->state_text ? fs->state_text : "");
        (void)fputs("</small>", f);
    }
    volume_times(f, fs);
}

static void
volume_row(FILE *f, const struct volume *v)
{
    char human[SIZE_TEXT_MAX];
    const struct file_system *fs = v->fs;

    (void)fputs("<tr><td>", f);
    html_plain(f, v->name);
    if (v->unreadable > 0) {
        (void)fputs("<br><small>", f);
        html_number(f, v->unreadable);
        (void)fputs(" bytes unreadable</small>", f);
    }
    (void)fputs("</td><td class=\"w\">", f);
    html_plain(f, html_volume_type(v));
    volume_extras(f, v);
    (void)fputs("</td><td class=\"w\">", f);
    html_text(f, fs && fs->label ? fs->label : "–");
    if (fs && fs->id) {
        (void)fputs("<br><small class=\"mono\">", f);
        html_plain(f, fs->id);
        (void)fputs("</small>", f);
    }
    (void)fprintf(f, "</td><td class=\"n\">%s</td>", size_human(v->length, human));
    if (fs)
        fs_cells(f, fs);
    else
        (void)fputs("<td class=\"n\">–</td><td class=\"n\">–</td></tr>\n", f);
}

void
html_volumes(FILE *f, const struct report *r)
{
    (void)fputs("<section id=\"volumes\"><h2>Volumes</h2>\n", f);
    if (r->n_volumes == 0) {
        (void)fputs("<p class=\"none\">The partition table holds no partition.</p></section>\n", f);
        return;
    }
    (void)fputs(
        "<table class=\"grid\"><thead><tr><th>Volume</th><th>File system</th><th>Label, "
        "identifier</th><th class=\"n\">Volume size</th><th class=\"n\">File system "
        "size</th><th class=\"n\">Blocks × bytes<br>first – last</th></tr></thead><tbody>\n",
        f);
    for (size_t i = 0; i < r->n_volumes && i < PARTITION_ROWS; i++)
        volume_row(f, &r->volumes[i]);
    (void)fputs("</tbody></table>\n", f);
    if (r->n_volumes > PARTITION_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      r->n_volumes - PARTITION_ROWS);
    (void)fputs("</section>\n", f);
}
