/*
 * File slack, from the metadata: every inode or MFT entry once, whatever names it has, and of each
 * non-resident stream only the blocks behind its end. What is counted as what: docs/slack.md.
 */
#include <stdlib.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/parser_top.h"
#include "report/slack.h"

/* Streams whose last block is remembered, so that a block shared by two is counted once. 16 bytes
   each at the worst load. */
#define SEEN_MAX ((size_t)1 << 24)

/* The first figures come after this long, nanoseconds. */
#define PARTIAL_INTERVAL UINT64_C(100000000)
/* Files that make them come at once. */
#define SUSPECTS_MAX 32

struct seen { /* a hash set of block addresses; 0 marks an empty place, so address + 1 is kept */
    uint64_t *v;
    size_t cap; /* a power of two, or 0 */
    size_t n;
};

struct walk {
    struct parser_image *image;
    TSK_FS_INFO *fs;
    uint64_t cluster;
    uint64_t sector;
    struct seen seen;
    struct slack slack;
    struct top top;
    TSK_INUM_T inode; /* of the file at hand */
    uint64_t nonzero; /* bytes that look() met, of the stream at hand */
    uint64_t started; /* monotonic ns */
    uint64_t partial; /* when the figures so far are sent next */
    unsigned suspects;
    bool deleted_only; /* the walk by name on FAT: what is allocated was counted before */
};

static size_t
seen_place(const struct seen *s, uint64_t key)
{
    size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (s->cap - 1);

    while (s->v[i] != 0 && s->v[i] != key)
        i = (i + 1) & (s->cap - 1);
    return i;
}

static void
seen_grow(struct seen *s)
{
    struct seen bigger = {.cap = s->cap ? 2 * s->cap : 1024, .n = s->n};

    bigger.v = xcalloc(bigger.cap, sizeof *bigger.v);
    for (size_t i = 0; i < s->cap; i++) {
        if (s->v[i] != 0)
            bigger.v[seen_place(&bigger, s->v[i])] = s->v[i];
    }
    free(s->v);
    *s = bigger;
}

/* True if the address was there already. Past SEEN_MAX nothing more is remembered. */
static bool
seen_add(struct seen *s, uint64_t addr)
{
    size_t i;

    if (s->n >= s->cap / 2 && s->cap < SEEN_MAX)
        seen_grow(s);
    i = seen_place(s, addr + 1);
    if (s->v[i] != 0)
        return true;
    if (s->n < s->cap / 4 * 3) {
        s->v[i] = addr + 1;
        s->n++;
    }
    return false;
}

static uint64_t
round_up(uint64_t v, uint64_t unit)
{
    return v % unit == 0 ? v : v + (unit - v % unit);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A run in bytes of the stream; false where it holds nothing on the disk or is absurd. */
static bool
run_bytes(const struct walk *w, const TSK_FS_ATTR_RUN *run, uint64_t *from, uint64_t *to)
{
    uint64_t bs = w->fs->block_size;

    if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
        return false;
    if (run->offset > INT64_MAX / bs / 2 || run->len > INT64_MAX / bs / 2)
        return false;
    *from = run->offset * bs;
    *to = *from + run->len * bs;
    return run->addr <= w->fs->last_block && run->len <= w->fs->last_block + 1 - run->addr;
}

/* The block that holds byte `at` of the stream; false if that byte has no place on the disk. */
static bool
block_of(const struct walk *w, const TSK_FS_ATTR *attr, uint64_t at, uint64_t *block)
{
    for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run; run = run->next) {
        uint64_t from;
        uint64_t to;

        if (run_bytes(w, run, &from, &to) && at >= from && at < to) {
            *block = run->addr + (at - from) / w->fs->block_size;
            return true;
        }
    }
    return false;
}

/* Looks at n bytes at `offset` of the file system as part of kind k. */
static void
look(struct walk *w, struct file_slack *f, enum slack_kind k, uint64_t offset, uint64_t n)
{
    uint8_t buf[4096];

    /* Slack proper is less than a cluster a file; the other kinds can be as large as the disk. */
    if (k == SLACK_BEYOND || k == SLACK_UNINIT) {
        uint64_t budget = w->image->examine_max;

        n = least(n, budget - least(budget, tally_examined(&f->kinds[k])));
    }
    while (n > 0) {
        ssize_t got = parser_image_read(w->image, buf, least(n, sizeof buf), offset);

        if (got <= 0) {
            f->unreadable++;
            return;
        }
        tally_look(&f->kinds[k], buf, (size_t)got);
        for (ssize_t i = 0; i < got; i++)
            w->nonzero += buf[i] != 0;
        offset += (uint64_t)got;
        n -= (uint64_t)got;
    }
}

/* Counts the bytes from..to of the stream that have a place on the disk as kind k. */
static void
measure(struct walk *w, struct file_slack *f, const TSK_FS_ATTR *attr, enum slack_kind k,
        uint64_t from, uint64_t to)
{
    uint64_t bytes = 0;

    for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run && from < to; run = run->next) {
        uint64_t a;
        uint64_t b;

        if (!run_bytes(w, run, &a, &b) || b <= from || a >= to)
            continue;
        if (a < from)
            a = from;
        if (b > to)
            b = to;
        bytes += b - a;
        f->kinds[k].bytes += b - a;
        look(w, f, k, run->addr * w->fs->block_size + (a - run->offset * w->fs->block_size), b - a);
    }
    if (bytes > 0)
        f->kinds[k].areas++;
}

/* Whether the stream's last block may be counted for this file. */
static bool
may_count(struct walk *w, struct file_slack *f, enum file_state state, uint64_t block)
{
    if (state == FILE_DELETED &&
        (w->fs->block_getflags(w->fs, block) & TSK_FS_BLOCK_FLAG_UNALLOC) == 0) {
        f->reused++;
        return false;
    }
    if (seen_add(&w->seen, block)) {
        f->shared++;
        return false;
    }
    return true;
}

/* Offers the stream as one of those with the most slack that is not zero. */
static void
rank(struct walk *w, enum file_state state, const TSK_FS_ATTR *attr, uint64_t slack)
{
    bool plain = attr->type == TSK_FS_ATTR_TYPE_DEFAULT ||
                 attr->type == TSK_FS_ATTR_TYPE_HFS_DATA ||
                 (attr->type == TSK_FS_ATTR_TYPE_NTFS_DATA &&
                  (!attr->name || strcmp(attr->name, "$Data") == 0));
    struct top_file file = {
        .inode = w->inode,
        .state = state,
        .size = (uint64_t)attr->size,
        .slack = slack,
        .nonzero = w->nonzero,
    };

    if (!plain)
        (void)snprintf(file.stream, sizeof file.stream, "%s", attr->name ? attr->name : "?");
    top_offer(&w->top, &file);
}

static void
measure_stream(struct walk *w, enum file_state state, const TSK_FS_ATTR *attr)
{
    struct file_slack *f = &w->slack.of[state];
    uint64_t end;
    uint64_t allocated;
    uint64_t initialised;
    uint64_t block;

    if (attr->size < 0 || attr->nrd.allocsize < 0 || attr->nrd.initsize < 0 ||
        attr->size > INT64_MAX / 4 || attr->nrd.allocsize > INT64_MAX / 4)
        return;
    end = (uint64_t)attr->size + attr->nrd.skiplen;
    allocated = (uint64_t)attr->nrd.allocsize + attr->nrd.skiplen;
    initialised = least((uint64_t)attr->nrd.initsize + attr->nrd.skiplen, end);
    f->streams++;
    if (initialised >= allocated) /* neither a tail nor anything uninitialised */
        return;
    if (block_of(w, attr, end > 0 && end % w->cluster != 0 ? end - 1 : initialised, &block) &&
        !may_count(w, f, state, block))
        return;
    measure(w, f, attr, SLACK_UNINIT, initialised, least(end, allocated));
    w->nonzero = 0;
    measure(w, f, attr, SLACK_SECTOR, end, least(round_up(end, w->sector), allocated));
    measure(w, f, attr, SLACK_DRIVE, round_up(end, w->sector),
            least(round_up(end, w->cluster), allocated));
    rank(w, state, attr, least(round_up(end, w->cluster), allocated) - least(end, allocated));
    measure(w, f, attr, SLACK_BEYOND, round_up(end, w->cluster), allocated);
}

static void
consider_attr(struct walk *w, enum file_state state, const TSK_FS_ATTR *attr)
{
    struct file_slack *f = &w->slack.of[state];

    /* Indirect and extent blocks are metadata, filled to their end by definition. */
    if (attr->type == TSK_FS_ATTR_TYPE_UNIX_INDIR || attr->type == TSK_FS_ATTR_TYPE_UNIX_EXTENT)
        return;
    if (attr->flags & TSK_FS_ATTR_COMP)
        f->compressed++;
    else if (attr->flags & TSK_FS_ATTR_NONRES)
        measure_stream(w, state, attr);
    else
        f->resident++;
}

static void
consider(struct walk *w, TSK_FS_FILE *file)
{
    const TSK_FS_META *meta = file->meta;
    enum file_state state;
    int n;

    if (!meta || meta->type == TSK_FS_META_TYPE_VIRT || meta->type == TSK_FS_META_TYPE_VIRT_DIR)
        return; /* areas that libtsk shows as files: boot sector, tables, orphans */
    state = meta->flags & TSK_FS_META_FLAG_ALLOC ? FILE_ALLOCATED : FILE_DELETED;
    if (state == FILE_ALLOCATED ? w->deleted_only
                                : (meta->flags & TSK_FS_META_FLAG_UNUSED) != 0 && meta->size == 0)
        return;
    if (meta->type == TSK_FS_META_TYPE_FIFO || meta->type == TSK_FS_META_TYPE_SOCK ||
        meta->type == TSK_FS_META_TYPE_CHR || meta->type == TSK_FS_META_TYPE_BLK)
        return;
    w->slack.of[state].files++;
    w->inode = meta->addr;
    if (state == FILE_DELETED && meta->size == 0 && !TSK_FS_TYPE_ISNTFS(w->fs->ftype))
        return; /* ext3 and ext4 clear size and blocks when they delete */
    n = tsk_fs_file_attr_getsize(file);
    if (n < 0) {
        w->slack.of[state].unreadable++;
        tsk_error_reset();
    }
    for (int i = 0; i < n; i++) {
        const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);

        if (attr)
            consider_attr(w, state, attr);
    }
}

static void
send_slack(const struct slack *s)
{
    json_t *message = emit_new("slack");

    (void)json_object_set_new(message, "slack", slack_to_json(s));
    emit_send(message);
}

/* What was found so far, in case that the rest is never reached: libtsk can be kept busy for good
   by one file. Ever more seldom, so that these messages stay few. */
static void
send_partial(struct walk *w, const TSK_FS_FILE *file)
{
    uint64_t now = clock_monotonic_ns();
    struct slack so_far;
    bool due = now >= w->partial;

    /* A file that claims more than there is may be the one. */
    if (!due && file->meta && w->suspects < SUSPECTS_MAX &&
        (uint64_t)file->meta->size / w->fs->block_size > w->fs->block_count) {
        w->suspects++;
        due = true;
    }
    if (!due)
        return;
    so_far = w->slack;
    so_far.incomplete = true;
    send_slack(&so_far);
    w->partial = now + PARTIAL_INTERVAL + (now - w->started) / 2;
}

static TSK_WALK_RET_ENUM
visit_meta(TSK_FS_FILE *file, void *arg)
{
    struct walk *w = arg;

    send_partial(w, file);
    consider(w, file);
    if (file->meta && (file->meta->addr & 0xff) == 0)
        emit_progress(file->meta->addr, w->fs->last_inum);
    return TSK_WALK_CONT;
}

static TSK_WALK_RET_ENUM
visit_name(TSK_FS_FILE *file, const char *path, void *arg)
{
    struct walk *w = arg;

    (void)path;
    send_partial(w, file);
    if (!TSK_FS_ISDOT(file->name->name))
        consider(w, file);
    emit_progress(0, 0);
    return TSK_WALK_CONT;
}

static void
check(struct walk *w, uint8_t failed, const char *what)
{
    if (!failed)
        return;
    w->slack.incomplete = true;
    emit_finding("metadata", "%s cannot be read to the end: %s", what, tsk_error_get());
    tsk_error_reset();
}

static void
walk_all(struct walk *w)
{
    TSK_FS_INFO *fs = w->fs;
    int alloc = TSK_FS_META_FLAG_ALLOC;
    int both = TSK_FS_META_FLAG_ALLOC | TSK_FS_META_FLAG_UNALLOC;

    if (!TSK_FS_TYPE_ISFAT(fs->ftype)) {
        check(w,
              tsk_fs_meta_walk(fs, fs->first_inum, fs->last_inum, (TSK_FS_META_FLAG_ENUM)both,
                               visit_meta, w),
              "the metadata");
        return;
    }
    /* FAT has no table of inodes: a walk over unallocated metadata would read every free cluster of
       the disk in search of directory entries. Deleted files are looked for by name instead. */
    check(w,
          tsk_fs_meta_walk(fs, fs->first_inum, fs->last_inum, (TSK_FS_META_FLAG_ENUM)alloc,
                           visit_meta, w),
          "the metadata");
    w->slack.deleted_by_name = true;
    w->deleted_only = true;
    check(w,
          tsk_fs_dir_walk(fs, fs->root_inum,
                          TSK_FS_DIR_WALK_FLAG_UNALLOC | TSK_FS_DIR_WALK_FLAG_ALLOC |
                              TSK_FS_DIR_WALK_FLAG_RECURSE | TSK_FS_DIR_WALK_FLAG_NOORPHAN,
                          visit_name, w),
          "the directory tree");
}

void
parser_slack(struct parser_image *p, TSK_FS_INFO *fs, uint64_t cluster)
{
    uint64_t now = clock_monotonic_ns();
    struct walk w = {.image = p,
                     .fs = fs,
                     .cluster = cluster,
                     .started = now,
                     .partial = now + PARTIAL_INTERVAL};

    w.sector = least(p->tsk.sector_size, cluster);
    seen_grow(&w.seen);
    walk_all(&w);
    if (TSK_FS_TYPE_ISNTFS(fs->ftype))
        parser_mft_slack(p, fs, &w.slack);
    send_slack(&w.slack);
    top_send(&w.top, fs);
    free(w.seen.v);
}
