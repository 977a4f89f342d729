/*
 * exhibit-verify: checks finished images.
 */
#include <signal.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/options.h"
#include "common/size.h"
#include "common/text.h"
#include "verify/output.h"

#define THREADS_MAX 256
#define IMAGES_MAX 1000 /* of one call; each holds its files open */

enum {
    OPT_JSON = 1,
    OPT_PROGRESS,
    OPT_QUIET,
    OPT_THREADS,
    OPT_FROM_MEDIUM,
    OPT_REQUIRE,
    OPT_HASH,
};

static const struct option_spec option_table[] = {
    {"json", 0, NULL, OPT_JSON, "print the result as JSON on stdout"},
    {"require", 0, "LIST", OPT_REQUIRE,
     "checks that must have been made, such as media-hash;\none that was not run has failed"},
    {"hash", 0, "LIST", OPT_HASH,
     "hashes of the media to compute besides md5, sha256\nand those that there is something to "
     "compare with"},
    {"from-medium", 0, NULL, OPT_FROM_MEDIUM,
     "take the segments out of the page cache first, so\nthat the medium itself is read"},
    {"threads", 0, "N", OPT_THREADS, "threads that read chunks (the number of cores)"},
    {"progress", 0, "MODE", OPT_PROGRESS, "auto, bar, json or none (auto)"},
    {"quiet", 'q', NULL, OPT_QUIET, "print the verdict alone"},
};

static const struct program program = {
    .name = "exhibit verify",
    .usage = "IMAGE… [options]",
    .summary = "Checks images: their segments, structure, chunks and hashes. IMAGE is a manifest\n"
               "(NAME.manifest.json) or the first segment of an E01 or raw image.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

struct settings {
    struct job_options job;
    enum progress_mode progress;
    bool json;
    bool quiet;
};

static atomic_bool interrupted;

static void
on_signal(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

/* Calls `take` for each item of a comma-separated list. */
static int
for_each_item(const char *list, int (*take)(struct settings *, const char *, struct err *),
              struct settings *s, struct err *err)
{
    for (;;) {
        size_t n = strcspn(list, ",");
        AUTO_FREE char *item = xstrndup(list, n);

        if (take(s, item, err) != 0)
            return -1;
        if (list[n] == '\0')
            return 0;
        list += n + 1;
    }
}

static int
take_require(struct settings *s, const char *item, struct err *err)
{
    int id = check_by_name(item);

    if (id < 0)
        return err_set(err, OUTCOME_USAGE, "option '--require': no check is called '%s'", item);
    s->job.require[id] = true;
    return 0;
}

static int
take_hash(struct settings *s, const char *item, struct err *err)
{
    if (s->job.n_hashes == SCAN_HASHES_MAX - 2)
        return err_set(err, OUTCOME_USAGE, "option '--hash': more than %d hashes",
                       SCAN_HASHES_MAX - 2);
    if (digest_canonical(item, s->job.hashes[s->job.n_hashes], err) != 0)
        return -1;
    s->job.n_hashes++;
    return 0;
}

static int
take_option(struct settings *s, int id, const char *arg, struct err *err)
{
    uint64_t n = 0;

    switch (id) {
    case OPT_JSON:
        s->json = true;
        return 0;
    case OPT_QUIET:
        s->quiet = true;
        return 0;
    case OPT_FROM_MEDIUM:
        s->job.from_medium = true;
        return 0;
    case OPT_PROGRESS:
        return progress_parse(arg, &s->progress, err);
    case OPT_THREADS:
        if (number_parse(arg, 1, THREADS_MAX, "option '--threads'", &n, err) != 0)
            return -1;
        s->job.threads = (size_t)n;
        return 0;
    case OPT_REQUIRE:
        return for_each_item(arg, take_require, s, err);
    default:
        return for_each_item(arg, take_hash, s, err);
    }
}

static int
parse(struct options *o, struct settings *s, struct err *err)
{
    const char *arg;
    int id;

    while ((id = options_next(o, &arg, err)) > 0) {
        if (take_option(s, id, arg, err) != 0)
            return -1;
    }
    return id;
}

/* The images are open; from here on no file is needed that is not open, but for segments past the
   limit of descriptors. OpenSSL reads its configuration before the door is closed. */
static void
enter_sandbox(const struct job *jobs, size_t n, struct sandbox_state *state)
{
    struct sandbox_spec spec = {.allow_threads = true};
    struct err err = ERR_INIT;
    int *dirs = NULL;
    size_t n_dirs = 0;

    (void)digest_hex_length("sha256");
    for (size_t i = 0; i < n; i++) {
        const int *fds;
        size_t count = jobs[i].image ? image_directories(jobs[i].image, &fds) : 0;

        dirs = xrealloc(dirs, n_dirs + count, sizeof *dirs);
        for (size_t k = 0; k < count; k++)
            dirs[n_dirs++] = fds[k];
    }
    spec.read_dirs = dirs;
    spec.n_read_dirs = n_dirs;
    if (sandbox_enter(&spec, true, state, &err) != 0)
        (void)snprintf(state->missing, sizeof state->missing, "%.*s",
                       (int)sizeof state->missing - 1, err.text);
    if (*state->missing)
        (void)fprintf(stderr, "exhibit: verifying without a full sandbox: %s\n", state->missing);
    free(dirs);
}

static enum outcome
outcome_of(const struct job *job)
{
    if (job->state == JOB_INTERRUPTED)
        return OUTCOME_INTERRUPTED;
    if (job->state == JOB_ERROR)
        return job->err.outcome == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_FAILED;
    return job->verdict == VERDICT_PASSED || job->verdict == VERDICT_UNREFERENCED
               ? OUTCOME_DONE
               : OUTCOME_FINDINGS;
}

/* Of several images the gravest counts: interrupted, then failed, then findings. */
static enum outcome
graver(enum outcome a, enum outcome b)
{
    static const int rank[] = {
        [OUTCOME_DONE] = 0,  [OUTCOME_FINDINGS] = 1,    [OUTCOME_FAILED] = 2,
        [OUTCOME_USAGE] = 3, [OUTCOME_INTERRUPTED] = 4,
    };

    return rank[a] >= rank[b] ? a : b;
}

/* Reports one job as soon as it is over. */
static void
report(const struct settings *s, const struct job *job, json_t *results,
       const struct sandbox_state *sandbox)
{
    progress_clear(s->job.progress);
    if (job->state == JOB_ERROR)
        (void)err_report(&job->err);
    if (job->state == JOB_INTERRUPTED) {
        AUTO_FREE char *name = text_printable(job->operand);

        (void)fprintf(stderr, "exhibit: interrupted: nothing was concluded about '%s'\n", name);
        return;
    }
    if (s->json)
        (void)json_array_append_new(results, output_json(job, &s->job, sandbox));
    else if (job->state == JOB_CONCLUDED)
        output_text(job, s->quiet);
}

static void
print_json(const json_t *results, bool several)
{
    AUTO_FREE char *text = NULL;

    if (json_array_size(results) == 0)
        return;
    text = json_to_text(several ? results : json_array_get(results, 0));
    (void)fputs(text, stdout);
}

static enum outcome
run(struct settings *s, char **images, size_t n)
{
    struct job *jobs = xcalloc(n, sizeof *jobs);
    json_t *results = json_array();
    struct sandbox_state sandbox = {0};
    enum outcome worst = OUTCOME_DONE;

    for (size_t i = 0; i < n; i++)
        job_open(&jobs[i], images[i], &s->job);
    enter_sandbox(jobs, n, &sandbox);
    for (size_t i = 0; i < n; i++) {
        if (interrupted && jobs[i].state == JOB_OPEN)
            jobs[i].state = JOB_INTERRUPTED;
        job_run(&jobs[i], &s->job);
        report(s, &jobs[i], results, &sandbox);
        worst = graver(worst, outcome_of(&jobs[i]));
        job_free(&jobs[i]);
    }
    if (s->json)
        print_json(results, n > 1);
    json_decref(results);
    free(jobs);
    return worst;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct settings s = {.job.stop = &interrupted};
    struct err err = ERR_INIT;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    enum outcome worst;
    char **images;
    int n;

    console_begin();
    s.job.threads = cores < 1 ? 1 : cores < THREADS_MAX ? (size_t)cores : THREADS_MAX;
    if (parse(o, &s, &err) != 0)
        return err_report(&err);
    images = options_operands(o, &n);
    if (n < 1 || n > IMAGES_MAX) {
        (void)err_set(&err, OUTCOME_USAGE, "%s; see 'exhibit verify --help'",
                      n < 1 ? "no image is named" : "too many images are named");
        return err_report(&err);
    }
    if (s.quiet && s.progress == PROGRESS_AUTO)
        s.progress = PROGRESS_NONE;
    s.job.progress = progress_new(s.progress);
    console_catch(on_signal);
    worst = run(&s, images, (size_t)n);
    progress_free(s.job.progress);
    options_free(o);
    return console_end((int)worst);
}
