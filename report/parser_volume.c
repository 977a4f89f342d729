/*
 * One volume: which file system it holds, where that ends, its slack, its free blocks.
 */
#include <stdlib.h>

#include "common/json.h"
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
    emit_send(message);
    free(label);
    free(id);
}

/* From the end of the file system to the end of the volume. */
static void
send_volume_slack(struct parser_image *p, const TSK_FS_INFO *fs)
{
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
        tally_area(&tally, p->length - size);
        parser_examine(p, size, p->length - size, &tally);
    }
    message = emit_new("volume-slack");
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
}

struct free_count {
    const TSK_FS_INFO *fs;
    uint64_t blocks;
};

static TSK_WALK_RET_ENUM
count_free(const TSK_FS_BLOCK *block, void *arg)
{
    struct free_count *c = arg;

    if ((++c->blocks & 0xffff) == 0)
        emit_progress(block->addr, c->fs->last_block);
    return TSK_WALK_CONT;
}

static void
send_unallocated(TSK_FS_INFO *fs)
{
    struct free_count count = {.fs = fs};
    struct tally tally = {0};
    json_t *message;
    TSK_FS_BLOCK_WALK_FLAG_ENUM flags =
        TSK_FS_BLOCK_WALK_FLAG_UNALLOC | TSK_FS_BLOCK_WALK_FLAG_AONLY;

    if (tsk_fs_block_walk(fs, fs->first_block, fs->last_block_act, flags, count_free, &count) !=
        0) {
        emit_finding("unallocated", "the free blocks cannot be counted: %s", tsk_error_get());
        return;
    }
    message = emit_new("unallocated");
    json_set_u64(message, "blocks", count.blocks);
    json_set_u64(message, "bytes", count.blocks * fs->block_size);
    tally_area(&tally, count.blocks * fs->block_size);
    (void)json_object_set_new(message, "tally", tally_to_json(&tally));
    emit_send(message);
}

static void
send_no_fs(struct parser_image *p, uint32_t code, const char *why)
{
    bool entropy = code == TSK_ERR_FS_ENCRYPTED || code == TSK_ERR_FS_POSSIBLY_ENCRYPTED;
    bool unknown = entropy || code == TSK_ERR_FS_UNKTYPE;
    json_t *message = emit_new("no-fs");
    bool is_fs = false;
    bool encrypted = false;
    const char *name = parser_signature(p, &is_fs, &encrypted);

    if (!name && entropy)
        name = "nothing known; entropy consistent with encryption";
    emit_text(message, "content", name);
    json_set_bool(message, "encrypted", encrypted);
    emit_send(message);
    if (is_fs)
        emit_finding("file-system", "its header says %s, but it cannot be parsed: %s", name, why);
    else if (!unknown && !name)
        emit_finding("file-system", "a file system cannot be parsed: %s", why);
}

void
parser_volume(struct parser_image *p)
{
    TSK_FS_INFO *fs = tsk_fs_open_img(&p->tsk, 0, TSK_FS_TYPE_DETECT);
    uint64_t cluster;

    if (!fs) {
        send_no_fs(p, tsk_error_get_errno(), tsk_error_get());
        return;
    }
    cluster = parser_cluster_size(p, fs);
    send_fs(p, fs, cluster);
    send_volume_slack(p, fs);
    if (fs->block_size > 0)
        parser_slack(p, fs, cluster);
    send_unallocated(fs);
}
