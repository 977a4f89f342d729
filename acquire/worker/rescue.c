#include "acquire/worker/rescue.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#include "common/clock.h"
#include "common/text.h"

#define CAUSES_MAX 8
/* Saving may take this part of the time at most. */
#define SAVE_SHARE 20

struct rescue {
    struct source base; /* the staging file, for whoever reads it as a source */
    struct rescue_spec spec;
    struct rescue_plan *plan;
    bool over;      /* the map says that an earlier run came to its end */
    uint64_t found; /* bytes */
    uint8_t *buf;   /* RESCUE_CLUSTER bytes, aligned */
    struct ranges unreadable;
    struct {
        int sys;
        struct ranges where;
    } causes[CAUSES_MAX];
    size_t n_causes;
    uint64_t saved, save_after; /* monotonic ns: when, and how long until the next time */
    uint64_t begun;             /* the same, of the pass */
    pthread_mutex_t lock;       /* guards what follows */
    struct rescue_pass pass;    /* under way */
    bool running;
};

/* --- what was rescued, as a source --- */

static ssize_t
rescued_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct rescue *r = (struct rescue *)s;

    return staging_read(r->spec.staging, buf, n, offset - r->spec.offset);
}

static void
rescued_close(struct source *s)
{
    (void)s; /* rescue_free() does it */
}

static const struct source_ops rescued_ops = {.pread = rescued_pread, .close = rescued_close};

struct source *
rescue_source(struct rescue *r)
{
    return &r->base;
}

/* --- beginning --- */

/* The map says that a run came to its end, and that left nothing but bad sectors: ddrescue may have
   been told to end before it trimmed or scraped. */
static bool
is_over(const struct rescue *r, const struct mapfile *map)
{
    return map->phase == '+' && rescue_plan_total(r->plan, MAP_NON_TRIED) == 0 &&
           rescue_plan_total(r->plan, MAP_NON_TRIMMED) == 0 &&
           rescue_plan_total(r->plan, MAP_NON_SCRAPED) == 0;
}

static int
make_plan(struct rescue *r, struct err *err)
{
    struct mapfile *map = staging_map(r->spec.staging, err);

    if (!map)
        return -1;
    r->plan = rescue_plan_new(r->spec.length, r->spec.sector_size, r->spec.retries, map);
    r->over = is_over(r, map);
    r->found = rescue_plan_total(r->plan, MAP_FINISHED);
    mapfile_free(map);
    return 0;
}

struct rescue *
rescue_open(const struct rescue_spec *spec, struct err *err)
{
    struct rescue *r = xcalloc(1, sizeof *r);
    void *buf = NULL;

    r->base.ops = &rescued_ops;
    r->spec = *spec;
    r->save_after = RESCUE_SAVE_NS;
    (void)pthread_mutex_init(&r->lock, NULL);
    if (posix_memalign(&buf, SOURCE_ALIGNMENT, RESCUE_CLUSTER) != 0)
        (void)err_set(err, OUTCOME_FAILED, "not enough memory to rescue");
    r->buf = buf;
    if (buf && make_plan(r, err) == 0)
        return r;
    rescue_free(r);
    return NULL;
}

void
rescue_free(struct rescue *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_causes; i++)
        ranges_free(&r->causes[i].where);
    ranges_free(&r->unreadable);
    rescue_plan_free(r->plan);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->buf);
    free(r);
}

uint64_t
rescue_found(const struct rescue *r)
{
    return r->found;
}

/* All that is not there. */
static void
missing(struct rescue *r, struct ranges *out)
{
    const struct mapfile *map = rescue_plan_map(r->plan);

    for (size_t i = 0; i < map->n; i++) {
        if (map->blocks[i].status != MAP_FINISHED)
            ranges_add(out, map->blocks[i].offset, map->blocks[i].length);
    }
}

int
rescue_compare(struct rescue *r, struct samples *out, struct err *err)
{
    struct ranges holes = {0};
    const struct samples_spec spec = {
        .imaged = &r->base,
        .now = r->spec.source,
        .offset = r->spec.offset,
        .until = r->spec.length,
        .sector_size = r->spec.sector_size,
        .missing = &holes,
    };
    int result;

    missing(r, &holes);
    result = samples_compare(&spec, out, err);
    ranges_free(&holes);
    return result;
}

/* --- one read --- */

static int
source_lost(const struct rescue *r, uint64_t at, int sys, struct err *err)
{
    if (sys == ECANCELED)
        return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
    if (sys == 0)
        return err_set(err, OUTCOME_INTERRUPTED,
                       "the source ends at byte %" PRIu64 ", before its size: it has changed",
                       r->spec.offset + at);
    errno = sys;
    (void)err_errno(err, "cannot read the source at byte %" PRIu64, r->spec.offset + at);
    if (source_classify(sys) == SOURCE_GONE)
        err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

/* How much of the range came, in whole sectors or to its end, and why no more. A source may stop
   short of damage, and says what it is at the next read. */
static int
read_range(struct rescue *r, const struct range *a, uint64_t *came, int *sys, struct err *err)
{
    uint32_t sector = r->spec.sector_size;

    *came = 0;
    *sys = 0;
    while (*came < a->length) {
        size_t n = (size_t)((a->length - *came + sector - 1) / sector * sector);
        ssize_t got =
            source_pread(r->spec.source, r->buf + *came, n, r->spec.offset + a->offset + *came);

        if (got < 0 && source_classify(errno) == SOURCE_MEDIUM) {
            *sys = errno;
            return 0;
        }
        if (got < 0)
            return source_lost(r, a->offset + *came, errno, err);
        if ((uint64_t)got >= a->length - *came) {
            *came = a->length;
            return 0;
        }
        if ((size_t)got < sector) /* where the source ends now */
            return source_lost(r, a->offset + *came + (uint64_t)got, 0, err);
        *came += (uint64_t)got / sector * sector;
    }
    return 0;
}

static void
note_cause(struct rescue *r, const struct range *bad, int sys)
{
    size_t i = 0;

    while (i < r->n_causes && r->causes[i].sys != sys)
        i++;
    if (i == CAUSES_MAX)
        return;
    if (i == r->n_causes)
        r->causes[r->n_causes++].sys = sys;
    ranges_add(&r->causes[i].where, bad->offset, bad->length);
}

static void
note_error(struct rescue *r, const struct range *asked, uint64_t came, int sys)
{
    struct range bad = {asked->offset + came, asked->length - came};

    if (bad.length <= r->spec.sector_size)
        note_cause(r, &bad, sys);
    if (r->spec.on_error)
        r->spec.on_error(r->spec.context, &bad, sys, rescue_plan_phase(r->plan));
}

/* --- passes, and where it is --- */

static void
begin_pass(struct rescue *r)
{
    r->begun = clock_monotonic_ns();
    (void)pthread_mutex_lock(&r->lock);
    r->pass = (struct rescue_pass){
        .phase = rescue_plan_phase(r->plan),
        .pass = rescue_plan_pass(r->plan),
        .rescued = rescue_plan_total(r->plan, MAP_FINISHED),
        .bad = rescue_plan_total(r->plan, MAP_BAD_SECTOR),
    };
    (void)pthread_mutex_unlock(&r->lock);
}

static void
end_pass(struct rescue *r)
{
    uint64_t ms = (clock_monotonic_ns() - r->begun) / 1000000;

    (void)pthread_mutex_lock(&r->lock);
    r->pass.ms = ms;
    (void)pthread_mutex_unlock(&r->lock);
    if (r->pass.reads > 0 && r->spec.on_pass)
        r->spec.on_pass(r->spec.context, &r->pass);
}

static void
note_read(struct rescue *r, bool failed)
{
    (void)pthread_mutex_lock(&r->lock);
    r->pass.reads++;
    r->pass.errors += failed;
    r->pass.rescued = rescue_plan_total(r->plan, MAP_FINISHED);
    r->pass.bad = rescue_plan_total(r->plan, MAP_BAD_SECTOR);
    (void)pthread_mutex_unlock(&r->lock);
}

static void
set_running(struct rescue *r, bool running)
{
    (void)pthread_mutex_lock(&r->lock);
    r->running = running;
    (void)pthread_mutex_unlock(&r->lock);
}

bool
rescue_progress(struct rescue *r, struct rescue_pass *out)
{
    bool running;

    (void)pthread_mutex_lock(&r->lock);
    running = r->running;
    *out = r->pass;
    (void)pthread_mutex_unlock(&r->lock);
    return running;
}

/* --- the run --- */

/* What the destination cannot take, or keep, can be put right. */
static int
not_kept(struct err *err)
{
    err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

static int
save(struct rescue *r, struct err *err)
{
    uint64_t begun = clock_monotonic_ns();

    if (staging_save(r->spec.staging, rescue_plan_map(r->plan), err) != 0)
        return not_kept(err);
    r->saved = clock_monotonic_ns();
    r->save_after = (r->saved - begun) * SAVE_SHARE;
    if (r->save_after < RESCUE_SAVE_NS)
        r->save_after = RESCUE_SAVE_NS;
    return 0;
}

static int
one_read(struct rescue *r, const struct range *a, struct err *err)
{
    uint64_t came;
    int sys;

    if (read_range(r, a, &came, &sys, err) != 0)
        return -1;
    if (staging_write(r->spec.staging, r->buf, (size_t)came, a->offset, err) != 0)
        return not_kept(err);
    if (came < a->length)
        note_error(r, a, came, sys);
    rescue_plan_result(r->plan, came);
    note_read(r, came < a->length);
    return clock_monotonic_ns() - r->saved >= r->save_after ? save(r, err) : 0;
}

static int
read_all(struct rescue *r, struct err *err)
{
    struct range a;

    begin_pass(r);
    while (rescue_plan_next(r->plan, &a)) {
        if (rescue_plan_phase(r->plan) != r->pass.phase ||
            rescue_plan_pass(r->plan) != r->pass.pass) {
            end_pass(r);
            begin_pass(r);
        }
        if (one_read(r, &a, err) != 0)
            return -1;
    }
    end_pass(r);
    return 0;
}

int
rescue_run(struct rescue *r, struct err *err)
{
    struct err ignored = ERR_INIT;
    int result;

    if (!r->over) {
        r->saved = clock_monotonic_ns();
        set_running(r, true);
        result = read_all(r, err);
        if (result == 0)
            result = save(r, err);
        else
            (void)save(r, &ignored);
        set_running(r, false);
        if (result != 0)
            return -1;
    }
    missing(r, &r->unreadable);
    return 0;
}

const struct ranges *
rescue_unreadable(const struct rescue *r)
{
    return &r->unreadable;
}

int
rescue_cause(const struct rescue *r, uint64_t offset)
{
    for (size_t i = 0; i < r->n_causes; i++) {
        const struct range *w = ranges_find(&r->causes[i].where, offset);

        if (w && w->offset <= offset)
            return r->causes[i].sys;
    }
    return EIO;
}
