#include "report/parser_top.h"

#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "report/parser_emit.h"

static bool
ranks_before(const struct top_file *a, const struct top_file *b)
{
    return a->nonzero != b->nonzero ? a->nonzero > b->nonzero : a->inode < b->inode;
}

void
top_offer(struct top *top, const struct top_file *file)
{
    size_t at = top->n;

    if (file->nonzero == 0)
        return;
    while (at > 0 && ranks_before(file, &top->v[at - 1]))
        at--;
    if (at == SLACK_TOP_MAX)
        return;
    if (top->n < SLACK_TOP_MAX)
        top->n++;
    memmove(&top->v[at + 1], &top->v[at], (top->n - at - 1) * sizeof top->v[0]);
    top->v[at] = *file;
}

/* A file that still exists is known by a name that does; a deleted one, by one that does not. */
static bool
fits(const struct top_file *t, const TSK_FS_NAME *name)
{
    bool allocated = (name->flags & TSK_FS_NAME_FLAG_ALLOC) != 0;

    return !t->path && t->inode == name->meta_addr && allocated == (t->state == FILE_ALLOCATED);
}

static TSK_WALK_RET_ENUM
visit_name(TSK_FS_FILE *file, const char *path, void *arg)
{
    struct top *top = arg;
    const TSK_FS_NAME *name = file->name;
    size_t missing = 0;

    emit_progress(0, 0);
    if (!name || !name->name || TSK_FS_ISDOT(name->name))
        return TSK_WALK_CONT;
    for (size_t i = 0; i < top->n; i++) {
        if (fits(&top->v[i], name))
            top->v[i].path = xasprintf("/%s%s", path, name->name);
        missing += top->v[i].path == NULL;
    }
    return missing > 0 ? TSK_WALK_CONT : TSK_WALK_STOP;
}

static void
find_names(struct top *top, TSK_FS_INFO *fs)
{
    for (size_t i = 0; i < top->n; i++) {
        if (top->v[i].inode == fs->root_inum)
            top->v[i].path = xstrdup("/");
    }
    if (top->n > 0 &&
        tsk_fs_dir_walk(fs, fs->root_inum,
                        TSK_FS_DIR_WALK_FLAG_ALLOC | TSK_FS_DIR_WALK_FLAG_UNALLOC |
                            TSK_FS_DIR_WALK_FLAG_RECURSE | TSK_FS_DIR_WALK_FLAG_NOORPHAN,
                        visit_name, top) != 0)
        tsk_error_reset(); /* what is wrong with directories was said, or costs only names */
}

void
top_send(struct top *top, TSK_FS_INFO *fs)
{
    json_t *message = emit_new("top");
    json_t *files = json_array();

    find_names(top, fs);
    for (size_t i = 0; i < top->n; i++) {
        struct top_file *t = &top->v[i];
        json_t *v = json_object();

        emit_text(v, "path", t->path);
        emit_text(v, "stream", t->stream[0] ? t->stream : NULL);
        json_set_text(v, "state", file_state_names[t->state]);
        json_set_u64(v, "inode", t->inode);
        json_set_u64(v, "size", t->size);
        json_set_u64(v, "slack", t->slack);
        json_set_u64(v, "nonzero", t->nonzero);
        (void)json_array_append_new(files, v);
        free(t->path);
        t->path = NULL;
    }
    (void)json_object_set_new(message, "files", files);
    emit_send(message);
}
