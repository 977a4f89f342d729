/*
 * What --resume begins with: the journals, the options and the directories of a job that was
 * interrupted.
 */
#include <errno.h>
#include <stdlib.h>

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
open_copy(struct acquisition *a, struct err *err)
{
    struct history h = {0};
    struct destination *d = &a->dest[a->n_dest++];
    int r;

    if (destination_open(d, a->options.copy, err) != 0)
        return -1;
    r = open_journal(a, 1, &h, err);
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

/* A job that was killed while its files moved to their places: all of them, or back again. */
static int
finish_moving(struct acquisition *a, struct err *err)
{
    size_t there = 0;

    for (size_t i = 0; i < a->n_dest; i++)
        there += a->history.moving[i] && destination_is_published(&a->dest[i], MANIFEST_SUFFIX);
    if (there == a->n_dest) {
        jobstate_remove(a);
        return err_set(err, OUTCOME_DONE,
                       "the job of '%s' had come to its end; nothing is left "
                       "to resume",
                       a->options.dest);
    }
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

/* The job was never begun, as far as its files go: then it is now. */
static bool
begins(struct acquisition *a, const struct err *err)
{
    if (err->sys != ENOENT || !getenv(RESUME_OR_BEGIN_VARIABLE))
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
    if (open_journal(a, 0, &a->history, err) != 0)
        return begins(a, err) ? 0 : -1;
    if (take_options(a, err) != 0)
        return -1;
    if (a->options.copy && open_copy(a, err) != 0)
        return -1;
    if (a->n_dest != a->history.n_sinks)
        return nothing_to_resume(a, err);
    return find_places(a, err) == 0 ? finish_moving(a, err) : -1;
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
