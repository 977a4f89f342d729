/*
 * The chain of sections of one segment. A descriptor that is damaged does not end the walk as long
 * as one of the two ways on (its `next`, its `size`) leads to a descriptor that is sound.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "common/cleanup.h"
#include "common/ewf_image.h"
#include "common/text.h"

/* The walk over one segment. */
struct walk {
    struct image *img;
    size_t segment;
    uint64_t file_size;
    uint64_t at; /* the section being looked at; its descriptor … */
    struct ewf_descriptor d;
    uint64_t end;        /* … and where the section ends */
    uint64_t data_start; /* of the last sectors section; 0: none */
    uint64_t data_end;
    bool pairs; /* the section before was a table, the last one appended */
};

static void structure_finding(struct image *img, bool remark, size_t segment, uint64_t offset,
                              const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void
structure_finding(struct image *img, bool remark, size_t segment, uint64_t offset, const char *fmt,
                  va_list ap)
{
    struct finding_spec spec = {.check = IMAGE_CHECK_STRUCTURE,
                                .remark = remark,
                                .segment = segment,
                                .file_offset = offset};
    char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        return;
    image_add_finding(img, &spec, "%s", text);
    free(text);
}

void
ewf_damage(struct image *img, size_t segment, uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    structure_finding(img, false, segment, offset, fmt, ap);
    va_end(ap);
}

void
ewf_remark(struct image *img, size_t segment, uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    structure_finding(img, true, segment, offset, fmt, ap);
    va_end(ap);
}

static void cut_off(struct walk *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
cut_off(struct walk *w, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    image_add_finding(w->img,
                      &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                             .incomplete = true,
                                             .segment = w->segment,
                                             .file_offset = w->file_size},
                      "the segment is cut off: %s", text ? text : "");
}

uint8_t *
ewf_load(struct image *img, size_t segment, uint64_t offset, uint64_t n, uint64_t max)
{
    uint8_t *p;

    if (n > max) {
        ewf_damage(img, segment, offset, "a section of %" PRIu64 " bytes is larger than its kind",
                   n);
        return NULL;
    }
    p = malloc(n ? (size_t)n : 1);
    if (!p || image_files_read(&img->files, segment, p, (size_t)n, offset) != (ssize_t)n) {
        free(p);
        ewf_damage(img, segment, offset, "a section cannot be read");
        return NULL;
    }
    return p;
}

static int
read_descriptor(const struct walk *w, uint64_t at, struct ewf_descriptor *d)
{
    uint8_t p[EWF_DESCRIPTOR_SIZE];

    if (at > w->file_size || w->file_size - at < sizeof p)
        return -1;
    if (image_files_read(&w->img->files, w->segment, p, sizeof p, at) != (ssize_t)sizeof p)
        return -1;
    ewf_decode_descriptor(p, d);
    return 0;
}

/* The data of the section after its descriptor. */
static uint64_t
data_offset(const struct walk *w)
{
    return w->at + EWF_DESCRIPTOR_SIZE;
}

static uint64_t
data_size(const struct walk *w)
{
    return w->end - data_offset(w);
}

static void
on_sectors(struct walk *w)
{
    w->data_start = data_offset(w);
    w->data_end = w->end;
}

static struct ewf_table *
append_table(struct ewf *ewf)
{
    if (ewf->n_tables == ewf->cap_tables) {
        ewf->cap_tables = ewf->cap_tables * 2 + 16;
        ewf->tables = xrealloc(ewf->tables, ewf->cap_tables, sizeof *ewf->tables);
    }
    memset(&ewf->tables[ewf->n_tables], 0, sizeof *ewf->tables);
    return &ewf->tables[ewf->n_tables++];
}

/* Reads the header of a table section and checks its count against the section's size. In the
   formats that keep chunks in the table section (no sectors section before), it may be longer. */
static int
read_table_header(struct walk *w, struct ewf_table_header *h, bool *footer)
{
    uint8_t p[EWF_TABLE_HEADER_SIZE];
    uint64_t room = data_size(w);

    if (room < sizeof p || image_files_read(&w->img->files, w->segment, p, sizeof p,
                                            data_offset(w)) != (ssize_t)sizeof p) {
        ewf_damage(w->img, w->segment, w->at, "the section '%s' is too small", w->d.type);
        return -1;
    }
    ewf_decode_table_header(p, h);
    *footer = !w->img->ewf->volume.smart;
    room -= sizeof p + (*footer ? 4 : 0);
    if (!h->checksum_ok) {
        ewf_damage(w->img, w->segment, data_offset(w), "the header of a '%s' has a wrong checksum",
                   w->d.type);
        return -1;
    }
    if (h->entries == 0 || h->entries > room / EWF_TABLE_ENTRY_SIZE) {
        ewf_damage(w->img, w->segment, data_offset(w),
                   "a '%s' of %" PRIu64 " bytes claims %" PRIu32 " entries", w->d.type,
                   data_size(w), h->entries);
        return -1;
    }
    return 0;
}

/* The count that fills the section: what a header that is damaged most likely said. */
static uint32_t
entries_by_size(const struct walk *w)
{
    uint64_t fixed = EWF_TABLE_HEADER_SIZE + 4;
    uint64_t n = data_size(w) > fixed ? (data_size(w) - fixed) / EWF_TABLE_ENTRY_SIZE : 0;

    return n < UINT32_MAX && w->data_start != 0 ? (uint32_t)n : 0;
}

static void
add_table(struct walk *w, uint32_t entries, uint64_t base, bool footer)
{
    struct ewf *ewf = w->img->ewf;
    uint64_t after = data_offset(w) + EWF_TABLE_HEADER_SIZE + (uint64_t)entries * 4;
    struct ewf_table *t;

    if (ewf->n_tables == EWF_TABLES_MAX) {
        ewf_damage(w->img, w->segment, w->at, "the image has more tables than any real one");
        return;
    }
    t = append_table(ewf);
    t->offset = data_offset(w);
    t->segment = (uint32_t)w->segment;
    t->entries = entries;
    t->base = base;
    t->footer = footer;
    t->data_start = w->data_start ? w->data_start : after + (footer ? 4 : 0);
    t->data_end = w->data_start ? w->data_end : w->end;
    ewf->segments[w->segment].n_tables++;
    ewf->segments[w->segment].chunks += entries;
}

/* What lies behind a damaged table header: the base of the tables before it was most likely its
   own, too, unless the copy says better. */
static void
add_damaged_table(struct walk *w)
{
    const struct ewf *ewf = w->img->ewf;
    uint64_t base = ewf->n_tables > 0 ? ewf->tables[ewf->n_tables - 1].base : 0;
    uint32_t entries = entries_by_size(w);

    if (entries == 0)
        return;
    if (ewf->n_tables > 0 && ewf->tables[ewf->n_tables - 1].segment != w->segment)
        base = 0;
    add_table(w, entries, base, true);
    w->pairs = true;
}

static void
on_table(struct walk *w)
{
    struct ewf_table_header h;
    bool footer = true;

    if (read_table_header(w, &h, &footer) != 0) {
        add_damaged_table(w);
        return;
    }
    add_table(w, h.entries, h.base, footer);
    w->pairs = true;
}

/* The copy serves where the first is damaged; their entries are compared by ewf_check_tables(). */
static void
on_table2(struct walk *w)
{
    struct ewf *ewf = w->img->ewf;
    struct ewf_table_header h;
    struct ewf_table *t;
    bool footer = true;

    if (read_table_header(w, &h, &footer) != 0)
        return;
    if (!w->pairs) {
        ewf_damage(w->img, w->segment, w->at, "the section 'table2' has no 'table' before it");
        add_table(w, h.entries, h.base, footer);
        return;
    }
    t = &ewf->tables[ewf->n_tables - 1];
    if (t->entries != h.entries || t->base != h.base) {
        uint8_t p[EWF_TABLE_HEADER_SIZE];
        struct ewf_table_header own = {0};

        if (image_files_read(&w->img->files, w->segment, p, sizeof p, t->offset) ==
            (ssize_t)sizeof p)
            ewf_decode_table_header(p, &own);
        if (own.checksum_ok) {
            ewf_damage(w->img, w->segment, data_offset(w), "'table2' differs from its 'table'");
            return;
        }
        /* The table's own header is the damaged one: go by the copy's. */
        ewf->segments[w->segment].chunks += (uint64_t)h.entries - t->entries;
        t->entries = h.entries;
        t->base = h.base;
        t->offset = data_offset(w);
        return;
    }
    t->copy = data_offset(w);
}

static void
with_data(struct walk *w, void (*on)(struct image *, size_t, uint64_t, uint64_t))
{
    on(w->img, w->segment, data_offset(w), data_size(w));
}

static void
on_incomplete(struct walk *w)
{
    ewf_remark(w->img, w->segment, w->at, "the writer marked the image as incomplete");
}

static void
on_nothing(struct walk *w)
{
    (void)w;
}

/* The sections of the specification; other writers' own are passed over. Where `value` is set the
   section holds values, else the walk itself deals with it. */
static const struct {
    const char *type;
    void (*on)(struct walk *w);
    void (*value)(struct image *img, size_t segment, uint64_t offset, uint64_t n);
} kinds[] = {
    /* clang-format off */
    {"header", NULL, ewf_on_header},
    {"header2", NULL, ewf_on_header2},
    {"xheader", NULL, ewf_on_xheader},
    {"volume", NULL, ewf_on_volume},
    {"disk", NULL, ewf_on_volume},
    {"data", NULL, ewf_on_data},
    {"sectors", on_sectors, NULL},
    {"table", on_table, NULL},
    {"table2", on_table2, NULL},
    {"hash", NULL, ewf_on_hash},
    {"xhash", NULL, ewf_on_xhash},
    {"digest", NULL, ewf_on_digest},
    {"error2", NULL, ewf_on_error2},
    {"incomplete", on_incomplete, NULL},
    {"session", on_nothing, NULL},
    {"ltypes", on_nothing, NULL},
    {"ltree", on_nothing, NULL},
    /* clang-format on */
};

static void
on_section(struct walk *w)
{
    bool was_table = w->pairs;

    w->pairs = was_table && strcmp(w->d.type, "table2") == 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(w->d.type, kinds[i].type) != 0)
            continue;
        if (kinds[i].value)
            with_data(w, kinds[i].value);
        else
            kinds[i].on(w);
        if (strcmp(w->d.type, "table") != 0)
            w->pairs = false;
        return;
    }
    ewf_remark(w->img, w->segment, w->at, "unknown section '%s'", w->d.type);
}

static bool
leads_to_section(const struct walk *w, uint64_t at)
{
    struct ewf_descriptor d;

    return at >= data_offset(w) && read_descriptor(w, at, &d) == 0 && d.checksum_ok;
}

/* After a descriptor with a wrong checksum. */
static int
find_way_on(struct walk *w)
{
    uint64_t by_size = w->d.size > UINT64_MAX - w->at ? UINT64_MAX : w->at + w->d.size;

    if (leads_to_section(w, w->d.next))
        w->end = w->d.next;
    else if (leads_to_section(w, by_size))
        w->end = by_size;
    else
        return -1;
    return 0;
}

/* Sets w->end; -1 where the chain cannot be followed. */
static int
find_end(struct walk *w)
{
    if (!w->d.checksum_ok) {
        ewf_damage(w->img, w->segment, w->at, "the descriptor of a section has a wrong checksum");
        if (find_way_on(w) == 0)
            return 0;
        ewf_damage(w->img, w->segment, w->at, "the chain of sections breaks off");
        return -1;
    }
    if (w->d.next > w->file_size) {
        cut_off(w,
                "its section '%s' at offset %" PRIu64 " leads to offset %" PRIu64
                ", the file has %" PRIu64 " bytes",
                w->d.type, w->at, w->d.next, w->file_size);
        return -1;
    }
    if (w->d.next < data_offset(w)) {
        ewf_damage(w->img, w->segment, w->at, "the chain of sections leads back to offset %" PRIu64,
                   w->d.next);
        return -1;
    }
    if (w->d.size != w->d.next - w->at)
        ewf_remark(w->img, w->segment, w->at,
                   "the section '%s' gives its size as %" PRIu64 " and its next at %" PRIu64,
                   w->d.type, w->d.size, w->d.next);
    w->end = w->d.next;
    return 0;
}

/* "Next section" and "Done section" end a segment; they point at themselves or behind themselves.
 */
static bool
on_last(struct walk *w)
{
    struct ewf_segment *s = &w->img->ewf->segments[w->segment];
    bool done = strcmp(w->d.type, "done") == 0;

    if (!done && strcmp(w->d.type, "next") != 0)
        return false;
    if (!w->d.checksum_ok)
        ewf_damage(w->img, w->segment, w->at, "the descriptor of a section has a wrong checksum");
    if (data_offset(w) < w->file_size)
        ewf_remark(w->img, w->segment, data_offset(w), "%" PRIu64 " bytes follow the last section",
                   w->file_size - data_offset(w));
    s->ends_done = done;
    s->walked = true;
    return true;
}

void
ewf_walk_segment(struct image *img, size_t i)
{
    struct walk w = {
        .img = img, .segment = i, .file_size = img->files.v[i].size, .at = EWF_FILE_HEADER_SIZE};

    img->ewf->segments[i].table = img->ewf->n_tables;
    if (w.file_size < EWF_FILE_HEADER_SIZE)
        return; /* its file header was reported already */
    for (;;) {
        if (read_descriptor(&w, w.at, &w.d) != 0) {
            cut_off(&w, "it has no end, at offset %" PRIu64 " a section should begin", w.at);
            return;
        }
        if (++img->ewf->sections > EWF_SECTIONS_MAX) {
            ewf_damage(img, i, w.at, "the image has more sections than any real one");
            return;
        }
        if (on_last(&w) || find_end(&w) != 0)
            return;
        on_section(&w);
        w.at = w.end;
    }
}
