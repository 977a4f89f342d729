#include "verify/job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/parser_run.h"
#include "common/text.h"
#include "verify/references.h"

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

    proof_load(&job->proof, stem);
    if (!exists(stem, ".map"))
        return;
    job->map = infile_read(AT_FDCWD, map, MAP_MAX, &job->map_size, &why);
    if (!job->map)
        job->map_problem = xstrdup(why.text);
}

static void
hash_manifest(struct job *job)
{
    struct err ignored = ERR_INIT;
    const struct proof_file *f = &job->proof.manifest;
    struct digest *d = job->location.manifest && f->data ? digest_new("sha256", &ignored) : NULL;

    if (!d)
        return;
    digest_update(d, f->data, f->n);
    digest_final_hex(d, job->manifest_sha256);
    digest_free(d);
}

void
job_open(struct job *job, const char *operand, const struct job_options *options)
{
    struct image_options image_options = {.open_only = true};

    *job = (struct job){.operand = operand,
                        .err = ERR_INIT,
                        .salvage = {.outcome = OUTCOME_DONE},
                        .finished = {.outcome = OUTCOME_DONE},
                        .state = JOB_ERROR};
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
    hash_manifest(job);
    evidence_read(options->logs, options->n_logs, &job->location, image_info(job->image),
                  &job->evidence);
    if (options->from_medium)
        job->dropped = image_drop_cache(job->image);
}

void
job_load(struct job *job)
{
    if (job->state != JOB_OPEN || !job->image || image_load(job->image, &job->err) == 0)
        return;
    image_free(job->image);
    job->image = NULL;
    if (job->err.outcome != OUTCOME_FINDINGS)
        job->state = JOB_ERROR;
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

/* The media's place in the source, and the source's size, as the manifest says; an image of another
   tool is taken for that of a whole source. */
static void
place_in_source(const struct job *job, uint64_t *offset, uint64_t *size)
{
    const struct manifest *m = job->location.manifest;
    const json_t *source = m ? json_object_get(m->root, "source") : NULL;
    struct err ignored = ERR_INIT;

    if (!source || json_get_u64(source, "offset", offset, &ignored) != 0)
        *offset = 0;
    if (!source || json_get_u64(source, "size", size, &ignored) != 0)
        *size = image_info(job->image)->media_size;
}

static void
conclude(struct job *job, const struct job_options *options)
{
    struct check_input in = {
        .location = &job->location,
        .image = job->image,
        .scan = &job->scan,
        .evidence = &job->evidence,
        .unreadable = job_unreadable(job),
        .against = options->against,
        .proof = &job->proof,
        .trust = options->trust,
        .ledger_head = options->ledger_head,
        .compare = job->compare ? compare_results(job->compare) : NULL,
        .map = job->map,
        .map_size = job->map_size,
        .map_problem = job->map_problem,
    };

    place_in_source(job, &in.source_offset, &in.source_size);
    memcpy(in.require, options->require, sizeof in.require);
    checks_run(&in, job->checks);
    job->verdict = checks_verdict(job->checks);
    job->state = JOB_CONCLUDED;
}

/* What is damaged, as closely as the check knows: "somewhere in this file" would name every file
   of the disk. */
static void
add_damaged(const struct check *c, struct ranges *all)
{
    for (size_t i = 0; i < c->n_places; i++)
        ranges_add(all, c->places[i].media.offset, c->places[i].media.length);
    for (size_t i = 0; c->n_places == 0 && i < c->ranges.n; i++)
        ranges_add(all, c->ranges.v[i].offset, c->ranges.v[i].length);
}

/* Everything that a check found damaged, and what was never read. */
static void
look_up_files(struct job *job, const struct job_options *options)
{
    const struct ranges *unreadable = job_unreadable(job);
    struct ranges all = {0};
    struct err why = ERR_INIT;

    for (size_t k = 0; k < CHECK_COUNT; k++) {
        if (job->checks[k].status == STATUS_FAILED)
            add_damaged(&job->checks[k], &all);
    }
    for (size_t i = 0; i < unreadable->n; i++)
        ranges_add(&all, unreadable->v[i].offset, unreadable->v[i].length);
    if (options->where && all.n > 0) {
        const struct where_question q = {
            .image = job->number,
            .sector_size = image_info(job->image)->bytes_per_sector,
            .media_size = image_info(job->image)->media_size,
            .set = &all,
        };

        job->files = where_ask(options->where, &q, options->stop, &why);
        if (!job->files)
            job->files_problem = xstrdup(why.text);
        else if (all.n > PARSER_RANGES_MAX)
            job->files_problem = xasprintf("only the first %d of %zu ranges were looked up",
                                           PARSER_RANGES_MAX, all.n);
    }
    ranges_free(&all);
}

static int
add_comparison(struct job *job, const struct job_options *options, struct scan_spec *spec)
{
    const struct against *a = options->against;
    struct compare_spec compare = {
        .fd = a->fd,
        .size = a->size,
        .sector_size = a->sector_size,
        .direct = a->is_device,
        .block_max = scan_block_bytes(job->image),
        .unreadable = job_unreadable(job),
    };
    uint64_t size;

    place_in_source(job, &compare.offset, &size);
    job->compare = compare_new(&compare, &job->err);
    if (!job->compare)
        return -1;
    spec->consumers[spec->n_consumers++] = (struct scan_consumer){compare_run, job->compare};
    return 0;
}

static void
finish_salvage(struct job *job, const struct job_options *options)
{
    const struct salvage_origin origin = {
        .operand = job->operand,
        .location = &job->location,
        .manifest_sha256 = job->manifest_sha256,
        .verdict = verdict_name(job->verdict),
        .command_line = options->command_line,
        .sandbox = options->sandbox,
    };

    job->lost = ranges_total(salvage_lost(options->salvage));
    if (salvage_finish(options->salvage, &origin, &job->salvage) == 0)
        job->salvaged = xasprintf("%s%s", salvage_dest(options->salvage), MANIFEST_SUFFIX);
}

static void
run_scan(struct job *job, const struct job_options *options, const struct scan_spec *spec)
{
    int r = scan_run(spec, &job->scan, &job->err);

    if (job->compare && against_finish(options->against, job->manifest_sha256, &job->finished) == 0)
        job->finished.outcome = OUTCOME_DONE;
    if (r != 0) {
        job->state = JOB_ERROR;
    } else if (job->scan.stopped) {
        job->state = JOB_INTERRUPTED;
    } else {
        conclude(job, options);
        look_up_files(job, options);
        if (options->salvage)
            finish_salvage(job, options);
    }
}

void
job_run(struct job *job, const struct job_options *options)
{
    struct scan_spec spec = {
        .image = job->image,
        .threads = options->threads,
        .stop = options->stop,
        .progress = options->progress,
        .progress_before = options->progress_before,
        .progress_total = options->progress_total,
    };
    struct references refs = {
        .manifest = job->location.manifest,
        .evidence = &job->evidence,
        .asked = options->hashes,
        .n_asked = options->n_hashes,
    };

    if (job->state != JOB_OPEN)
        return;
    if (!job->image) {
        conclude_unopened(job, options);
        return;
    }
    refs.info = image_info(job->image);
    if (job->map && !job->location.manifest && refs.info->format == IMAGE_RAW)
        map_unreadable(job->map, job->map_size, refs.info->media_size, &job->map_bad);
    evidence_parse(&job->evidence, &job->location, refs.info);
    spec.unreadable_sectors = job_unreadable_sectors(job);
    references_choose(&refs, &spec);
    if (options->against && add_comparison(job, options, &spec) != 0) {
        job->state = JOB_ERROR;
        return;
    }
    if (options->salvage) {
        salvage_begin(options->salvage, job->image, job_unreadable(job));
        spec.consumers[spec.n_consumers++] = (struct scan_consumer){salvage_run, options->salvage};
    }
    run_scan(job, options, &spec);
}

void
job_close(struct job *job)
{
    if (job->image) {
        job->media_size = image_info(job->image)->media_size;
        job->unreadable_sectors = job_unreadable_sectors(job);
    }
    scan_result_free(&job->scan);
    evidence_free(&job->evidence);
    compare_free(job->compare);
    job->compare = NULL;
    image_free(job->image);
    job->image = NULL;
    image_location_free(&job->location);
    free(job->map);
    free(job->map_problem);
    proof_clear(&job->proof);
    ranges_free(&job->map_bad);
    job->map = job->map_problem = NULL;
}

void
job_free(struct job *job)
{
    job_close(job);
    checks_free(job->checks);
    json_decref(job->files);
    free(job->files_problem);
    free(job->salvaged);
}

uint64_t
job_size(const struct job *job)
{
    return job->state == JOB_OPEN && job->image ? image_info(job->image)->media_size : 0;
}

const struct ranges *
job_unreadable(const struct job *job)
{
    if (job->location.manifest)
        return &job->location.manifest->unreadable;
    if (job->map_bad.n > 0)
        return &job->map_bad;
    return &image_info(job->image)->acquiry_errors;
}

uint64_t
job_unreadable_sectors(const struct job *job)
{
    uint32_t sector = image_info(job->image)->bytes_per_sector;

    if (sector == 0) /* not loaded yet */
        return 0;
    return (ranges_total(job_unreadable(job)) + sector - 1) / sector;
}
