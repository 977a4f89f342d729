/*
 * The question which files lie in a set of ranges, put to one parser for the partition table and to
 * one for each volume that the ranges touch. Each message is taken as coming from whoever made the
 * disk.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/parser_field.h"
#include "common/parser_run.h"
#include "common/text.h"
#include "verify/where.h"

#define PARTS_MAX 256  /* that are looked into */
#define NOTES_MAX 20   /* kept */
#define RANGES_MAX 100 /* of one file */
#define SECOND UINT64_C(1000000000)
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

struct part {
    uint64_t index; /* row of the table; UINT64_MAX: no table, the whole media */
    uint64_t start; /* bytes of the media */
    uint64_t length;
};

struct lookup {
    const struct where_image *image;
    const struct ranges *set;
    uint64_t media_size;
    uint64_t deadline; /* monotonic ns */
    uint64_t sector_size;
    struct part parts[PARTS_MAX];
    size_t n_parts;
    bool has_table;
    const struct part *part; /* being looked into; NULL: the table is read */
    size_t first;            /* index in `files` of its first */
    uint64_t unallocated;    /* bytes */
    json_t *files;
    json_t *notes;
    bool full;
};

static void note(struct lookup *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
note(struct lookup *l, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *whole = NULL;
    json_t *holder;
    va_list ap;

    if (json_array_size(l->notes) == NOTES_MAX)
        return;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    if (!l->part)
        whole = xasprintf("partition table: %s", text ? text : "");
    else if (l->part->index == UINT64_MAX)
        whole = xstrdup(text ? text : "");
    else
        whole = xasprintf("partition %" PRIu64 ": %s", l->part->index, text ? text : "");
    holder = json_object();
    json_set_text(holder, "text", whole);
    (void)json_array_append(l->notes, json_object_get(holder, "text"));
    json_decref(holder);
}

/* --- the partition table -------------------------------------------------------------------- */

static int
take_table(struct lookup *l, const json_t *m, struct err *err)
{
    if (field_number(m, "sector_size", &l->sector_size, err) != 0)
        return -1;
    if (l->sector_size == 0 || l->sector_size > 1u << 20)
        return err_set(err, OUTCOME_FAILED, "'sector_size' is absurd");
    l->has_table = true;
    return 0;
}

static bool
touches(const struct lookup *l, uint64_t start, uint64_t length)
{
    return ranges_overlap(l->set, start, length);
}

static int
take_part(struct lookup *l, const json_t *m, struct err *err)
{
    const char *state = json_text_or_null(m, "state");
    struct part p;

    if (field_number(m, "index", &p.index, err) != 0 ||
        field_number(m, "start", &p.start, err) != 0 ||
        field_number(m, "length", &p.length, err) != 0)
        return -1;
    if (!l->has_table)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (!state || strcmp(state, "allocated") != 0 || p.start >= l->media_size / l->sector_size)
        return 0;
    p.start *= l->sector_size;
    if (p.length > (l->media_size - p.start) / l->sector_size)
        p.length = (l->media_size - p.start) / l->sector_size;
    p.length *= l->sector_size;
    if (!touches(l, p.start, p.length))
        return 0;
    if (l->n_parts == PARTS_MAX)
        note(l, "more than %d partitions are touched", PARTS_MAX);
    else
        l->parts[l->n_parts++] = p;
    return 0;
}

/* --- files ---------------------------------------------------------------------------------- */

/* Within the volume, and no more of them than may be. */
static int
take_ranges(const struct lookup *l, const json_t *m, json_t *to, struct err *err)
{
    struct ranges v = {0};
    int r = json_to_ranges(json_object_get(m, "ranges"), &v, err);

    for (size_t i = 0; r == 0 && i < v.n; i++) {
        if (v.v[i].offset < l->part->start || v.v[i].offset - l->part->start >= l->part->length ||
            v.v[i].length > l->part->length - (v.v[i].offset - l->part->start))
            r = err_set(err, OUTCOME_FAILED, "it lies outside the volume");
    }
    if (r == 0 && (v.n == 0 || v.n > RANGES_MAX))
        r = err_set(err, OUTCOME_FAILED, "it has %zu ranges", v.n);
    if (r == 0)
        (void)json_object_set_new(to, "ranges", json_from_ranges(&v));
    ranges_free(&v);
    return r;
}

static int
take_file(struct lookup *l, const json_t *m, struct err *err)
{
    static const char *const types[] = {"file", "directory", "link", "metadata", "other"};
    json_t *file;
    size_t type;
    uint64_t inode;
    uint64_t size;

    if (!l->part)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (json_get_u64(m, "inode", &inode, err) != 0 || json_get_u64(m, "size", &size, err) != 0 ||
        field_choice(m, "type", types, COUNT_OF(types), &type, err) != 0)
        return -1;
    if (json_array_size(l->files) == WHERE_FILES_MAX) {
        if (!l->full)
            note(l, "more files lie there than are listed");
        l->full = true;
        return 0;
    }
    file = json_object();
    if (l->part->index == UINT64_MAX)
        json_set_text(file, "partition", NULL);
    else
        json_set_u64(file, "partition", l->part->index);
    json_set_u64(file, "inode", inode);
    json_set_text(file, "type", types[type]);
    json_set_bool(file, "allocated", json_is_true(json_object_get(m, "allocated")));
    json_set_u64(file, "size", size);
    json_set_text(file, "path", NULL);
    if (take_ranges(l, m, file, err) != 0) {
        json_decref(file);
        return -1;
    }
    (void)json_array_append_new(l->files, file);
    return 0;
}

static int
take_name(struct lookup *l, const json_t *m, struct err *err)
{
    AUTO_FREE char *path = NULL;
    uint64_t inode;

    if (json_get_u64(m, "inode", &inode, err) != 0 || field_text(m, "path", &path, err) != 0)
        return -1;
    for (size_t i = l->first; i < json_array_size(l->files); i++) {
        json_t *file = json_array_get(l->files, i);
        uint64_t own = 0;

        if (json_get_u64(file, "inode", &own, err) != 0 || own != inode)
            continue;
        if (!json_is_null(json_object_get(file, "path")))
            return err_set(err, OUTCOME_FAILED, "the file has a name already");
        json_set_text(file, "path", path);
        return 0;
    }
    return l->full ? 0 : err_set(err, OUTCOME_FAILED, "there is no such file");
}

static int
take_blocks(struct lookup *l, const json_t *m, struct err *err)
{
    uint64_t n;

    if (field_number(m, "unallocated", &n, err) != 0)
        return -1;
    if (!l->part || n > l->part->length)
        return err_set(err, OUTCOME_FAILED, "'unallocated' is absurd");
    l->unallocated += n;
    return 0;
}

static int
take_text(struct lookup *l, const json_t *m, struct err *err)
{
    AUTO_FREE char *text = NULL;

    if (field_text(m, "text", &text, err) != 0)
        return -1;
    note(l, "%s", text);
    return 0;
}

static int
take_no_fs(struct lookup *l, const json_t *m, struct err *err)
{
    (void)m;
    (void)err;
    note(l, "no file system was recognised there");
    return 0;
}

static int
take(void *arg, const char *kind, const json_t *m, struct err *err)
{
    static const struct {
        const char *kind;
        bool of_volume; /* what is said of a table besides is of no interest here */
        int (*take)(struct lookup *l, const json_t *m, struct err *err);
    } kinds[] = {
        {"table", false, take_table}, {"part", false, take_part},    {"file", true, take_file},
        {"name", true, take_name},    {"blocks", true, take_blocks}, {"no-fs", true, take_no_fs},
        {"limit", true, take_text},   {"finding", true, take_text},
    };
    struct lookup *l = arg;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0 && kinds[i].of_volume == (l->part != NULL))
            return kinds[i].take(l, m, err);
    }
    return 0;
}

static void
run_parser(struct lookup *l, const char *mode)
{
    struct parser_request request = {
        .mode = mode,
        .image = l->image->path,
        .manifest = l->image->manifest,
        .sector_size = (uint32_t)l->sector_size,
        .start = l->part ? l->part->start : 0,
        .length = l->part ? l->part->length : l->media_size,
        .ranges = l->part ? l->set : NULL,
    };
    uint64_t now = clock_monotonic_ns();
    struct parser_result result;
    struct err err = ERR_INIT;

    if (now >= l->deadline) {
        note(l, "it was not looked into: there was no time left");
        return;
    }
    request.deadline = (uint32_t)((l->deadline - now) / SECOND) + 1;
    if (parser_run(&request, take, l, &result, &err) != 0)
        note(l, "%s", err.text);
    else if (result.end != PARSER_DONE)
        note(l, "%s", result.text);
}

json_t *
where_files(const struct where_image *image, const struct where_question *q)
{
    struct lookup *l = xcalloc(1, sizeof *l);
    json_t *answer = json_object();

    l->image = image;
    l->set = q->set;
    l->media_size = q->media_size;
    l->sector_size = q->sector_size;
    l->deadline = clock_monotonic_ns() + WHERE_SECONDS_MAX * SECOND;
    l->files = json_array();
    l->notes = json_array();
    run_parser(l, "table");
    if (!l->has_table)
        l->parts[l->n_parts++] = (struct part){UINT64_MAX, 0, q->media_size};
    for (size_t i = 0; i < l->n_parts; i++) {
        l->part = &l->parts[i];
        l->first = json_array_size(l->files);
        run_parser(l, "files");
    }
    (void)json_object_set_new(answer, "files", l->files);
    json_set_u64(answer, "unallocated_bytes", l->unallocated);
    (void)json_object_set_new(answer, "notes", l->notes);
    free(l);
    return answer;
}
