/*
 * Which files lie in given ranges of the media: what damage of an image, or a sector that could not
 * be read, means to whoever looks for a document. First every inode (or MFT entry) is asked where
 * its blocks are, then the directory tree is walked for the names of those that were hit. What has
 * been sent stays known if libtsk dies of the next inode.
 *
 *   file     inode, type, allocated, size, ranges (of the media), more
 *   name     inode, path
 *   blocks   allocated, unallocated (bytes of the ranges, as the file system's own map says)
 *   no-fs    text
 *   limit    text: not everything was sent
 */
#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "report/parser.h"
#include "report/parser_emit.h"

#define FILES_MAX 1000        /* sent; a range that meets more is large */
#define RANGES_MAX 100        /* sent of one file */
#define PATH_MAX_SENT 4000    /* bytes */
#define BLOCKS_MAX (1u << 22) /* whose state is asked for */

struct hit {
    TSK_INUM_T inode;
    uint32_t sequence; /* of the MFT entry; 0 elsewhere */
    bool allocated;
    bool named;
};

struct walk {
    struct parser_image *p;
    TSK_FS_INFO *fs;
    struct hit hits[FILES_MAX];
    size_t n_hits;
    size_t n_named;
    bool more;
};

static const char *
type_name(enum TSK_FS_META_TYPE_ENUM type)
{
    switch (type) {
    case TSK_FS_META_TYPE_REG:
        return "file";
    case TSK_FS_META_TYPE_DIR:
        return "directory";
    case TSK_FS_META_TYPE_LNK:
        return "link";
    case TSK_FS_META_TYPE_VIRT:
        return "metadata"; /* an area that libtsk shows as a file: boot sector, tables */
    default:
        return "other";
    }
}

/* What of n bytes at offset of the media was asked for. */
static void
add_overlap(const struct ranges *wanted, uint64_t offset, uint64_t n, struct ranges *out)
{
    uint64_t end = offset + n;
    const struct range *last = wanted->v + wanted->n;

    for (const struct range *r = ranges_find(wanted, offset); r && r < last && r->offset < end;
         r++) {
        uint64_t from = r->offset > offset ? r->offset : offset;
        uint64_t to = r->offset + r->length < end ? r->offset + r->length : end;

        ranges_add(out, from, to - from);
    }
}

/* The media that the run's blocks take. */
static void
add_run(const struct walk *w, const TSK_FS_ATTR_RUN *run, struct ranges *out)
{
    uint64_t bs = w->fs->block_size;
    uint64_t start = w->p->start + (uint64_t)w->fs->offset;

    if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
        return;
    if (run->addr > w->fs->last_block || run->len > w->fs->last_block + 1 - run->addr)
        return; /* nowhere on this disk */
    if (run->addr > INT64_MAX / bs / 2 || run->len > INT64_MAX / bs / 2)
        return;
    add_overlap(&w->p->wanted, start + run->addr * bs, run->len * bs, out);
}

static void
add_streams(const struct walk *w, TSK_FS_FILE *file, struct ranges *out)
{
    int n = tsk_fs_file_attr_getsize(file);

    if (n < 0)
        tsk_error_reset();
    for (int i = 0; i < n; i++) {
        const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);

        if (!attr || !(attr->flags & TSK_FS_ATTR_NONRES))
            continue;
        for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run; run = run->next)
            add_run(w, run, out);
    }
}

static void
send_file(struct walk *w, const TSK_FS_META *meta, struct ranges *hit)
{
    json_t *message = emit_new("file");
    bool cut = hit->n > RANGES_MAX;

    if (cut)
        hit->n = RANGES_MAX;
    json_set_u64(message, "inode", meta->addr);
    json_set_text(message, "type", type_name(meta->type));
    json_set_bool(message, "allocated", (meta->flags & TSK_FS_META_FLAG_ALLOC) != 0);
    json_set_u64(message, "size", meta->size > 0 ? (uint64_t)meta->size : 0);
    (void)json_object_set_new(message, "ranges", json_from_ranges(hit));
    json_set_bool(message, "more", cut);
    emit_send(message);
    w->hits[w->n_hits++] = (struct hit){
        .inode = meta->addr,
        .sequence = TSK_FS_TYPE_ISNTFS(w->fs->ftype) ? meta->seq : 0,
        .allocated = (meta->flags & TSK_FS_META_FLAG_ALLOC) != 0,
    };
}

static struct hit *
find_hit(struct walk *w, TSK_INUM_T inode)
{
    for (size_t i = 0; i < w->n_hits; i++) {
        if (w->hits[i].inode == inode)
            return &w->hits[i];
    }
    return NULL;
}

static TSK_WALK_RET_ENUM
consider(struct walk *w, TSK_FS_FILE *file)
{
    struct ranges hit = {0};
    const TSK_FS_META *meta = file->meta;

    emit_progress(meta ? meta->addr : 0, w->fs->last_inum);
    if (!meta)
        return TSK_WALK_CONT;
    add_streams(w, file, &hit);
    if (hit.n > 0 && !find_hit(w, meta->addr)) {
        w->more = w->n_hits == FILES_MAX;
        if (!w->more)
            send_file(w, meta, &hit);
    }
    ranges_free(&hit);
    return w->more ? TSK_WALK_STOP : TSK_WALK_CONT;
}

static TSK_WALK_RET_ENUM
visit_meta(TSK_FS_FILE *file, void *arg)
{
    return consider(arg, file);
}

/* A name that was deleted may point to an inode that has been given to another file since. */
static bool
is_name_of(const TSK_FS_NAME *name, const struct hit *h)
{
    if (h->allocated && !(name->flags & TSK_FS_NAME_FLAG_ALLOC))
        return false;
    return h->sequence == 0 || name->meta_seq == h->sequence;
}

static TSK_WALK_RET_ENUM
visit_name(TSK_FS_FILE *file, const char *path, void *arg)
{
    struct walk *w = arg;
    const TSK_FS_NAME *name = file->name;
    struct hit *h;
    json_t *message;
    char *text;
    char *cut;

    emit_progress(0, 0);
    if (!name || !name->name || TSK_FS_ISDOT(name->name))
        return TSK_WALK_CONT;
    /* On FAT deleted files have no place but under their names. */
    if (TSK_FS_TYPE_ISFAT(w->fs->ftype) && consider(w, file) == TSK_WALK_STOP)
        return TSK_WALK_STOP;
    h = find_hit(w, name->meta_addr);
    if (!h || h->named || !is_name_of(name, h))
        return TSK_WALK_CONT;
    h->named = true;
    w->n_named++;
    text = xasprintf("/%s%s", path ? path : "", name->name);
    cut = xstrndup(text, PATH_MAX_SENT);
    message = emit_new("name");
    json_set_u64(message, "inode", name->meta_addr);
    json_set_text(message, "path", cut);
    emit_send(message);
    free(cut);
    free(text);
    return w->n_named == w->n_hits && !TSK_FS_TYPE_ISFAT(w->fs->ftype) ? TSK_WALK_STOP
                                                                       : TSK_WALK_CONT;
}

static void
note_failure(uint8_t failed, const char *what)
{
    if (failed)
        emit_finding("metadata", "%s cannot be read to the end: %s", what, tsk_error_get());
    tsk_error_reset();
}

/* What the volume's own map says of the blocks that were asked for. */
static void
send_blocks(const struct walk *w)
{
    TSK_FS_INFO *fs = w->fs;
    uint64_t start = w->p->start + (uint64_t)fs->offset;
    uint64_t of[2] = {0, 0};
    uint64_t budget = BLOCKS_MAX;
    json_t *message;

    for (size_t i = 0; i < w->p->wanted.n; i++) {
        const struct range *r = &w->p->wanted.v[i];
        uint64_t from = r->offset > start ? r->offset - start : 0;
        uint64_t to = r->offset + r->length > start ? r->offset + r->length - start : 0;

        for (uint64_t b = from / fs->block_size;
             to > from && b * fs->block_size < to && b <= fs->last_block_act && budget > 0;
             b++, budget--) {
            uint64_t lo = b * fs->block_size < from ? from : b * fs->block_size;
            uint64_t hi = (b + 1) * fs->block_size < to ? (b + 1) * fs->block_size : to;
            bool is_free = (fs->block_getflags(fs, b) & TSK_FS_BLOCK_FLAG_UNALLOC) != 0;

            of[is_free] += hi - lo;
        }
    }
    message = emit_new("blocks");
    json_set_u64(message, "allocated", of[0]);
    json_set_u64(message, "unallocated", of[1]);
    emit_send(message);
}

static void
walk_all(struct walk *w)
{
    TSK_FS_INFO *fs = w->fs;
    bool fat = TSK_FS_TYPE_ISFAT(fs->ftype) != 0;
    /* A walk over FAT's unallocated metadata reads every free cluster of the disk. */
    int which = TSK_FS_META_FLAG_ALLOC | (fat ? 0 : TSK_FS_META_FLAG_UNALLOC);

    note_failure(tsk_fs_meta_walk(fs, fs->first_inum, fs->last_inum, (TSK_FS_META_FLAG_ENUM)which,
                                  visit_meta, w),
                 "the metadata");
    if (w->n_hits > 0 || fat)
        note_failure(tsk_fs_dir_walk(fs, fs->root_inum,
                                     TSK_FS_DIR_WALK_FLAG_UNALLOC | TSK_FS_DIR_WALK_FLAG_ALLOC |
                                         TSK_FS_DIR_WALK_FLAG_RECURSE |
                                         TSK_FS_DIR_WALK_FLAG_NOORPHAN,
                                     visit_name, w),
                     "the directory tree");
}

static void
send_text(const char *kind, const char *text)
{
    json_t *message = emit_new(kind);

    emit_text(message, "text", text);
    emit_send(message);
}

void
parser_files(struct parser_image *p)
{
    struct walk *w = xcalloc(1, sizeof *w);

    p->fill = true;
    w->p = p;
    w->fs = tsk_fs_open_img(&p->tsk, 0, TSK_FS_TYPE_DETECT);
    if (!w->fs || w->fs->block_size == 0) {
        send_text("no-fs", tsk_error_get());
        free(w);
        return;
    }
    send_blocks(w);
    walk_all(w);
    if (w->more)
        send_text("limit", "more than 1000 files lie there");
    free(w);
}
