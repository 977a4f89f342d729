/*
 * What --resume begins with: the journals, the options and the directories of a job that was
 * interrupted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/front/jobstate.h"
#include "acquire/front/jobstate_impl.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/manifest.h"
#include "common/text.h"

static int
nothing_to_resume(const struct acquisition *a, struct err *err)
{
    return err_set(err, OUTCOME_FAILED, "cannot resume '%s': there is no journal of it",
                   a->options.dest);
}

/* Killed before its first promise, perhaps while it took over what another program had rescued. */
static int
never_begun(const struct acquisition *a, const struct destination *d, struct err *err)
{
    if (d->dir < 0)
        return nothing_to_resume(a, err);
    return err_set(err, OUTCOME_FAILED,
                   "cannot resume '%s': there is no journal of it, the job was ended before it "
                   "began; remove '%s' to begin anew",
                   a->options.dest, d->partial);
}

/* The end that the job came to stands in its manifest; here is nothing to resume, an "error". */
static int
had_ended(const struct acquisition *a, struct err *err)
{
    AUTO_FREE char *path = xasprintf("%s" MANIFEST_SUFFIX, a->dest[0].path);
    struct manifest *m = manifest_load(path, err);
    bool changed;

    if (!m)
        return err_context(err, "the job of '%s' had come to its end", a->options.dest);
    changed = json_is_true(
        json_object_get(json_object_get(m->root, "source"), "changed_during_acquisition"));
    (void)err_set(err, m->unreadable.n > 0 || changed ? OUTCOME_FINDINGS : OUTCOME_DONE,
                  "the job of '%s' had come to its end; nothing is left to resume",
                  a->options.dest);
    manifest_free(m);
    return -1;
}

static int
open_journal(struct acquisition *a, size_t i, struct history *h, struct err *err)
{
    struct destination *d = &a->dest[i];
    struct journal_text text;

    if (destination_reopen(d, err) == 0)
        a->journals[i] = journal_open(d->dir, d->name, history_take, h, &text, err);
    if (!a->journals[i] && err->sys == ENOENT) {
        (void)never_begun(a, d, err);
        err->sys = ENOENT;
        return -1;
    }
    if (!a->journals[i])
        return err_context(err, "cannot resume '%s'", d->path);
    return h->begin ? 0 : never_begun(a, d, err);
}

/* The copy's journal says the same, but that one of them may have got a line less. */
static int
meet_copy(struct acquisition *a, struct err *err)
{
    struct history h = {0};
    const struct destination *d = &a->dest[1];
    int r = open_journal(a, 1, &h, err);

    if (r == 0 && !json_equal(h.begin, a->history.begin))
        r = err_set(err, OUTCOME_REFUSED, "'%s' and '%s' are not of the same job", a->dest[0].path,
                    d->path);
    if (r == 0)
        r = history_meet(&a->history, &h, err);
    history_clear(&h);
    return r;
}

static int
take_options(struct acquisition *a, struct err *err)
{
    struct history *h = &a->history;
    AUTO_FREE char *cwd = json_get_bytes(h->begin, "cwd");

    return acquire_options_resume(&a->options, h->argc, h->argv, cwd ? cwd : "/", err);
}

typedef int moving_step(const struct destination *d, const char *file, uint64_t size,
                        struct err *err);

static int
each_moving(const struct acquisition *a, moving_step *step, struct err *err)
{
    for (size_t i = 0; i < a->n_dest + a->n_places; i++) {
        const struct destination *d = i < a->n_dest ? &a->dest[i] : &a->place[i - a->n_dest];
        const json_t *v;
        size_t k;

        json_array_foreach(a->history.moving[i], k, v)
        {
            AUTO_FREE char *file = json_get_bytes(v, "file");
            uint64_t size;

            if (!file || strchr(file, '/') || json_get_u64(v, "size", &size, err) != 0)
                return nothing_to_resume(a, err);
            if (step(d, file, size, err) != 0)
                return -1;
        }
    }
    return 0;
}

/* A copy failed after the other image had its names, and that one was signed or stamped: its
   manifest must stay as it is. */
static int
check_sealed(const struct acquisition *a, struct err *err)
{
    static const char *const suffixes[] = {MANIFEST_SUFFIX ".p7s", MANIFEST_SUFFIX ".tsr"};

    for (size_t i = 0; i < a->n_dest; i++) {
        for (size_t k = 0; k < sizeof suffixes / sizeof suffixes[0]; k++) {
            if (a->history.moving[i] && destination_is_published(&a->dest[i], suffixes[k]))
                return err_set(err, OUTCOME_REFUSED,
                               "cannot resume '%s': the image there is complete and sealed; copy "
                               "its files to where one is missing",
                               a->dest[i].path);
        }
    }
    return 0;
}

/* A job that was killed while its files moved to their places: back again. */
static int
undo_moving(struct acquisition *a, struct err *err)
{
    /* Either all of it can be done again, or nothing is touched. */
    return check_sealed(a, err) == 0 && each_moving(a, destination_check_back, err) == 0
               ? each_moving(a, destination_take_back, err)
               : -1;
}

/* Where files of the image lie besides: DIR/NAME.partial, like DEST.partial. */
static int
add_place(struct acquisition *a, const char *dir, bool there, struct err *err)
{
    struct destination *d = &a->place[a->n_places];

    a->place_paths[a->n_places] = xasprintf("%s/%s", dir, a->dest[0].name);
    if (destination_open(d, a->place_paths[a->n_places++], err) != 0)
        return -1;
    if (there && destination_reopen(d, err) != 0)
        return err_context(err, "cannot resume '%s': a part of it lies elsewhere", a->options.dest);
    return 0;
}

/* The directory that was asked for now: known already, or new. */
static int
choose_place(struct acquisition *a, struct err *err)
{
    struct history *h = &a->history;
    AUTO_FREE char *real = realpath(a->options.segment_dir, NULL);
    AUTO_FREE char *safe = real ? text_printable(real) : NULL;

    if (!real)
        return err_errno(err, "cannot use '%s'", a->options.segment_dir);
    /* It will stand in the checksum files, whose lines it must not break. */
    if (strcmp(safe, real) != 0 || strchr(real, '\\'))
        return err_set(err, OUTCOME_USAGE, "'%s' cannot be named in a checksum file", real);
    for (size_t i = 0; i < h->n_directories; i++) {
        if (strcmp(real, h->directories[i]) == 0) {
            a->writing = i + 1;
            return 0;
        }
    }
    if (a->n_dest + h->n_directories >= WORKER_DIRS_MAX)
        return err_set(err, OUTCOME_USAGE, "more than %zu directories for one image",
                       WORKER_DIRS_MAX - a->n_dest);
    a->new_place = true;
    a->writing = h->n_directories + 1;
    return add_place(a, real, false, err);
}

static int
find_places(struct acquisition *a, struct err *err)
{
    struct history *h = &a->history;

    for (size_t i = 0; i < h->n_directories; i++) {
        if (add_place(a, h->directories[i], true, err) != 0)
            return -1;
    }
    a->writing = h->sinks[0].place;
    return a->options.segment_dir ? choose_place(a, err) : 0;
}

/* The manifest moves last, and the journals go after that: DEST's at the very end. */
static bool
is_complete(const struct acquisition *a)
{
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!a->history.moving[i] || !destination_is_published(&a->dest[i], MANIFEST_SUFFIX))
            return false;
    }
    return true;
}

/* Killed while it cleared away; something of that may be done. */
static int
clear_away(struct acquisition *a, struct err *err)
{
    struct err ignored = ERR_INIT;

    for (size_t i = 1; i < a->n_dest; i++)
        (void)destination_reopen(&a->dest[i], &ignored);
    for (size_t i = 0; i < a->history.n_directories; i++)
        (void)add_place(a, a->history.directories[i], false, &ignored);
    jobstate_remove(a);
    return had_ended(a, err);
}

/* The job was never begun, as far as its files go: then it is now. */
static bool
begins(struct acquisition *a, const struct err *err)
{
    if (err->sys != ENOENT || !getenv(DAEMON_JOB_VARIABLE))
        return false;
    (void)destination_remove_empty(&a->dest[0]);
    destination_close(&a->dest[0]);
    a->n_dest = 0;
    a->options.resume = false;
    return true;
}

int
jobstate_find(struct acquisition *a, struct err *err)
{
    if (!a->options.resume)
        return 0;
    if (destination_open(&a->dest[a->n_dest++], a->options.dest, err) != 0)
        return -1;
    if (open_journal(a, 0, &a->history, err) != 0) {
        if (err->sys == ENOENT && a->dest[0].dir >= 0 &&
            destination_is_published(&a->dest[0], MANIFEST_SUFFIX) &&
            destination_remove_empty(&a->dest[0]))
            return had_ended(a, err);
        return begins(a, err) ? 0 : -1;
    }
    if (take_options(a, err) != 0)
        return -1;
    if (a->options.copy && destination_open(&a->dest[a->n_dest++], a->options.copy, err) != 0)
        return -1;
    if (a->n_dest != a->history.n_sinks)
        return nothing_to_resume(a, err);
    if (is_complete(a))
        return clear_away(a, err);
    if (a->options.copy && meet_copy(a, err) != 0)
        return -1;
    return find_places(a, err) == 0 ? undo_moving(a, err) : -1;
}

static int
same_facts(const json_t *was, const json_t *is, const char *what, struct err *err)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)is, key, v)
    {
        AUTO_FREE char *before = NULL;
        AUTO_FREE char *now = NULL;

        if (strcmp(key, "path") == 0 || json_equal(json_object_get(was, key), v))
            continue;
        before = json_object_get(was, key) ? json_to_line(json_object_get(was, key)) : xstrdup("?");
        now = json_to_line(v);
        return err_set(err, OUTCOME_REFUSED,
                       "cannot resume: the %s is not what it was (%s: %s, was %s)", what, key, now,
                       before);
    }
    return 0;
}

int
jobstate_check(const struct acquisition *a, struct err *err)
{
    const json_t *begin = a->history.begin;
    json_t *source;
    json_t *plan;
    int r;

    if (!a->options.resume)
        return 0;
    source = jobstate_source_facts(a);
    plan = jobstate_plan_facts(a);
    r = same_facts(json_object_get(begin, "source"), source, "source", err);
    if (r == 0)
        r = same_facts(json_object_get(begin, "plan"), plan, "plan", err);
    json_decref(source);
    json_decref(plan);
    return r;
}
