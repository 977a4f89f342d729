/*
 * One volume: which file system it holds, where that ends, its slack, its free blocks.
 */
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/slack.h"

static void
send_fs(struct parser_image *p, TSK_FS_INFO *fs, uint64_t cluster)
{
    json_t *message = emit_new("fs");
    char *label = parser_label(p, fs);
    char *id = parser_volume_id(fs);

    emit_text(message, "type", tsk_fs_type_toname(fs->ftype));
    emit_text(message, "label", label);
    emit_text(message, "id", id);
    json_set_u64(message, "block_size", fs->block_size);
    json_set_u64(message, "cluster_size", cluster);
    json_set_u64(message, "block_count", fs->block_count);
    json_set_u64(message, "first_block", fs->first_block);
    json_set_u64(message, "last_block", fs->last_block);
    json_set_u64(message, "first_inode", fs->first_inum);
    json_set_u64(message, "last_inode", fs->last_inum);
    parser_state(p, fs, message);
    emit_send(message);
    free(label);
    free(id);
}

/* From the end of the file system to the end of the volume. */
static void
send_volume_slack(struct parser_image *p, const TSK_FS_INFO *fs)
{
    struct ranges end = {0};
    struct tally tally = {0};
    json_t *message;
    uint64_t size;

    if (fs->block_size == 0 || fs->block_count > UINT64_MAX / fs->block_size) {
        emit_finding("file-system-size", "the file system states an impossible size");
        return;
    }
    size = fs->block_count * fs->block_size;
    if (size > p->length) {
        emit_finding("file-system-size",
                     "the file system says it has %ju bytes, %ju more than its volume",
                     (uintmax_t)size, (uintmax_t)(size - p->length));
    } else if (size < p->length) {
        ranges_add(&end, size, p->length - size);
        tally_area(&tally, p->length - size);
        parser_examine(p, &end, &tally);
        ranges_free(&end);
    }
    message = emit_new("volume-slack");
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
}

/* Runs of free blocks that are remembered; those after them are counted only. 16 bytes each. */
#define RUNS_MAX ((size_t)1 << 22)

struct free_blocks {
    const TSK_FS_INFO *fs;
    struct ranges runs; /* blocks */
    uint64_t blocks;
    uint64_t n_runs;
    uint64_t next; /* the block after the last one */
};

static TSK_WALK_RET_ENUM
count_free(const TSK_FS_BLOCK *block, void *arg)
{
    struct free_blocks *f = arg;

    if ((++f->blocks & 0xffff) == 0)
        emit_progress(block->addr, f->fs->last_block);
    if (block->addr != f->next || f->n_runs == 0)
        f->n_runs++;
    f->next = block->addr + 1;
    if (f->runs.n < RUNS_MAX)
        ranges_add(&f->runs, block->addr, 1);
    return TSK_WALK_CONT;
}

static void
send_unallocated(struct parser_image *p, TSK_FS_INFO *fs)
{
    struct free_blocks f = {.fs = fs};
    struct tally tally = {0};
    json_t *message;
    TSK_FS_BLOCK_WALK_FLAG_ENUM flags =
        TSK_FS_BLOCK_WALK_FLAG_UNALLOC | TSK_FS_BLOCK_WALK_FLAG_AONLY;

    if (tsk_fs_block_walk(fs, fs->first_block, fs->last_block_act, flags, count_free, &f) != 0) {
        emit_finding("unallocated", "the free blocks cannot be counted: %s", tsk_error_get());
        ranges_free(&f.runs);
        return;
    }
    for (size_t i = 0; i < f.runs.n; i++) {
        f.runs.v[i].offset *= fs->block_size;
        f.runs.v[i].length *= fs->block_size;
    }
    tally.areas = f.n_runs;
    tally.bytes = f.blocks * fs->block_size;
    parser_examine(p, &f.runs, &tally);
    message = emit_new("unallocated");
    json_set_u64(message, "blocks", f.blocks);
    json_set_u64(message, "bytes", tally.bytes);
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
    ranges_free(&f.runs);
}

static void
send_sample(struct parser_image *p)
{
    struct tally tally = {0};
    bool random = parser_sample(p, &tally);
    json_t *message = emit_new("sample");

    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    json_set_bool(message, "looks_encrypted", random);
    emit_send(message);
}

/* libtsk knows some archives and names them: "Unsupported image type (Gzip Archive)". */
static char *
in_parentheses(const char *s)
{
    const char *open = strchr(s, '(');
    const char *close = open ? strrchr(open, ')') : NULL;

    return close ? xstrndup(open + 1, (size_t)(close - open - 1)) : NULL;
}

static void
send_no_fs(struct parser_image *p, const struct signature_found *found, uint32_t code,
           const char *why)
{
    bool other = code == TSK_ERR_IMG_UNSUPTYPE && !found->name;
    bool unknown = code == TSK_ERR_FS_ENCRYPTED || code == TSK_ERR_FS_POSSIBLY_ENCRYPTED ||
                   code == TSK_ERR_FS_UNKTYPE || other;
    json_t *message = emit_new("no-fs");
    AUTO_FREE char *archive = other ? in_parentheses(why) : NULL;

    emit_text(message, "content", archive ? archive : found->name);
    emit_text(message, "content_detail", found->detail);
    json_set_bool(message, "encrypted", found->encrypted);
    emit_send(message);
    if (found->is_fs)
        emit_finding("file-system", "its header says %s, but it cannot be parsed: %s", found->name,
                     why);
    else if (!unknown && !found->name)
        emit_finding("file-system", "a file system cannot be parsed: %s", why);
    if (!found->name)
        send_sample(p);
}

void
parser_volume(struct parser_image *p)
{
    struct signature_found found;
    TSK_FS_INFO *fs;
    uint64_t cluster;

    /* BitLocker To Go looks like FAT32 on purpose: its header is asked first. */
    (void)parser_signature(p, &found);
    fs = found.encrypted ? NULL : tsk_fs_open_img(&p->tsk, 0, TSK_FS_TYPE_DETECT);
    if (!fs) {
        send_no_fs(p, &found, found.encrypted ? TSK_ERR_FS_UNKTYPE : tsk_error_get_errno(),
                   found.encrypted ? "" : tsk_error_get());
        free(found.detail);
        return;
    }
    free(found.detail);
    cluster = parser_cluster_size(p, fs);
    send_fs(p, fs, cluster);
    send_volume_slack(p, fs);
    /* Files come last: it is there that hostile volumes keep libtsk busy. */
    send_unallocated(p, fs);
    if (fs->block_size > 0)
        parser_slack(p, fs, cluster);
}
