#include "verify/job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

#define MAP_MAX ((size_t)64 << 20)

static bool
exists(const char *stem, const char *suffix)
{
    AUTO_FREE char *path = xasprintf("%s%s", stem, suffix);
    struct stat st;

    return stat(path, &st) == 0;
}

static void
look_beside(struct job *job)
{
    const char *stem = job->location.stem;
    AUTO_FREE char *map = xasprintf("%s.map", stem);
    struct err why = ERR_INIT;

    job->beside[CHECK_SIGNATURE] = exists(stem, ".manifest.json.p7s");
    job->beside[CHECK_TIMESTAMP] = exists(stem, ".manifest.json.tsr");
    job->beside[CHECK_LEDGER] = exists(stem, ".custody.jsonl");
    if (!job->location.manifest || !exists(stem, ".map"))
        return;
    job->map = infile_read(AT_FDCWD, map, MAP_MAX, &job->map_size, &why);
    if (!job->map)
        job->map_problem = xstrdup(why.text);
}

void
job_open(struct job *job, const char *operand, const struct job_options *options)
{
    struct image_options image_options = {0};

    *job = (struct job){.operand = operand, .err = ERR_INIT, .state = JOB_ERROR};
    if (image_locate(operand, &job->location, &job->err) != 0)
        return;
    image_options.manifest = job->location.manifest;
    job->image = image_open(job->location.path, &image_options, &job->err);
    if (!job->image && job->err.outcome != OUTCOME_FINDINGS)
        return;
    job->state = JOB_OPEN;
    if (!job->image)
        return;
    look_beside(job);
    if (options->from_medium)
        job->dropped = image_drop_cache(job->image);
}

static void
add_hash(struct scan_spec *spec, const char *name)
{
    if (spec->n_hashes == SCAN_HASHES_MAX || digest_hex_length(name) == 0)
        return;
    for (size_t i = 0; i < spec->n_hashes; i++) {
        if (strcmp(spec->hashes[i], name) == 0)
            return;
    }
    spec->hashes[spec->n_hashes++] = name;
}

/* Those that there is something to compare with, those asked for, and the two usual ones. */
static void
choose_hashes(const struct job *job, const struct job_options *options, struct scan_spec *spec)
{
    const struct manifest *m = job->location.manifest;
    const struct manifest_hashes *stored = &image_info(job->image)->stored;

    for (size_t i = 0; m && i < m->media_hashes.n; i++)
        add_hash(spec, m->media_hashes.v[i].name);
    for (size_t i = 0; i < stored->n; i++)
        add_hash(spec, stored->v[i].name);
    for (size_t i = 0; i < options->n_hashes; i++)
        add_hash(spec, options->hashes[i]);
    add_hash(spec, "md5");
    add_hash(spec, "sha256");
}

/* An E01 of which nothing can be read: that alone is the result. */
static void
conclude_unopened(struct job *job, const struct job_options *options)
{
    bool cut_off = job->err.sys == ENODATA;

    for (int i = 0; i < CHECK_COUNT; i++) {
        if (options->require[i])
            check_fail(&job->checks[i], false, "required, but not run: nothing can be read");
        else
            check_skip(&job->checks[i], "nothing of the image can be read");
    }
    check_fail(&job->checks[cut_off ? CHECK_SEGMENTS : CHECK_STRUCTURE], cut_off, "%s",
               job->err.text);
    job->checks[cut_off ? CHECK_SEGMENTS : CHECK_STRUCTURE].target = xstrdup(job->operand);
    job->verdict = checks_verdict(job->checks);
    job->state = JOB_CONCLUDED;
}

static void
conclude(struct job *job, const struct job_options *options)
{
    struct check_input in = {
        .location = &job->location,
        .image = job->image,
        .scan = &job->scan,
        .map = job->map,
        .map_size = job->map_size,
        .map_problem = job->map_problem,
    };

    memcpy(in.beside, job->beside, sizeof in.beside);
    memcpy(in.require, options->require, sizeof in.require);
    checks_run(&in, job->checks);
    job->verdict = checks_verdict(job->checks);
    job->state = JOB_CONCLUDED;
}

void
job_run(struct job *job, const struct job_options *options)
{
    struct scan_spec spec = {
        .image = job->image,
        .manifest = job->location.manifest,
        .threads = options->threads,
        .stop = options->stop,
        .progress = options->progress,
    };

    if (job->state != JOB_OPEN)
        return;
    if (!job->image) {
        conclude_unopened(job, options);
        return;
    }
    spec.unreadable_sectors = job_unreadable_sectors(job);
    choose_hashes(job, options, &spec);
    if (scan_run(&spec, &job->scan, &job->err) != 0)
        job->state = JOB_ERROR;
    else if (job->scan.stopped)
        job->state = JOB_INTERRUPTED;
    else
        conclude(job, options);
}

void
job_free(struct job *job)
{
    checks_free(job->checks);
    scan_result_free(&job->scan);
    image_free(job->image);
    image_location_free(&job->location);
    free(job->map);
    free(job->map_problem);
}

const struct ranges *
job_unreadable(const struct job *job)
{
    if (job->location.manifest)
        return &job->location.manifest->unreadable;
    return &image_info(job->image)->acquiry_errors;
}

uint64_t
job_unreadable_sectors(const struct job *job)
{
    uint32_t sector = image_info(job->image)->bytes_per_sector;

    return (ranges_total(job_unreadable(job)) + sector - 1) / sector;
}
