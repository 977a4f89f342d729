/*
 * exhibit-discard: removes what an interrupted job wrote, as the user whose job it was: the
 * journal, and the files beside it, of DEST.partial, its copy's, and of the directories that
 * further segments went to. Started by exhibitd.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/front/acquisition.h"
#include "acquire/front/jobstate.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/text.h"

static const struct program program = {
    .name = "exhibit-discard",
    .usage = "DEST",
    .summary = "Removes what the interrupted job of DEST wrote. Started by exhibitd.",
};

/* Regular files and symbolic links only: a job makes nothing else. */
static int
empty_directory(const struct destination *d, struct err *err)
{
    int again = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    const struct dirent *e;

    if (!dir)
        return err_errno(err, "cannot read '%s'", d->partial);
    while ((e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(d->dir, e->d_name, 0) != 0 && errno != ENOENT)
            return err_errno(err, "cannot remove '%s/%s'", d->partial, e->d_name);
    }
    return 0;
}

static int
discard(struct acquisition *a, struct err *err)
{
    /* Opens all of it, and locks the journals: a job that runs is not touched. */
    if (jobstate_find(a, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_places; i++) {
        if (empty_directory(&a->place[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < a->n_dest; i++) {
        if (empty_directory(&a->dest[i], err) != 0)
            return -1;
    }
    jobstate_remove(a);
    return 0;
}

int
main(int argc, char **argv)
{
    static struct acquisition a = {.file = -1};
    struct options *o = options_new(&program, argc, argv);
    struct err err = ERR_INIT;
    const char *arg;
    char **operands;
    int count;
    int r;

    console_begin();
    r = options_next(o, &arg, &err);
    operands = options_operands(o, &count);
    options_free(o);
    if (r == 0 && count != 1)
        r = err_set(&err, OUTCOME_USAGE, "one DEST is needed");
    if (r == 0) {
        a.options.resume = true;
        a.options.dest = operands[0];
        a.options.source = "";
        r = discard(&a, &err);
    }
    /* Nothing there is what was asked for. */
    if (r != 0 &&
        (err.outcome == OUTCOME_DONE || err.outcome == OUTCOME_FINDINGS || err.sys == ENOENT))
        r = 0;
    return console_end(r == 0 ? 0 : err_report(&err));
}
