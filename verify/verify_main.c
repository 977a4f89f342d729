/*
 * exhibit-verify: checks finished images.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/requester.h"
#include "common/text.h"
#include "verify/output.h"
#include "verify/recorder.h"
#include "verify/settings.h"

static atomic_bool interrupted;

static void
on_signal(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

/* One call: the images, and what is shared by them. */
struct call {
    struct settings *s;
    struct job *jobs;
    size_t n;
    struct against against;
    struct salvage *salvage;
    struct trust *trust;
    struct recorder *recorder; /* NULL: nothing goes into ledgers */
    struct where *where;
    struct sandbox_state sandbox;
    json_t *results;
};

/* --- before the sandbox --------------------------------------------------------------------- */

/* The descriptors of directories that are needed later on: rarely any. */
static size_t
reading_directories(const struct call *c, int **dirs)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const int *fds;
        size_t count = c->jobs[i].image ? image_directories(c->jobs[i].image, &fds) : 0;

        *dirs = xrealloc(*dirs, n + count, sizeof **dirs);
        for (size_t k = 0; k < count; k++)
            (*dirs)[n++] = fds[k];
    }
    return n;
}

/* OpenSSL looks up authorities by name, when it meets a certificate. */
static int
add_authorities(const struct trust_spec *spec, int **dirs, size_t *n, struct err *err)
{
    for (size_t i = 0; i < spec->n_ca_paths; i++) {
        int fd = open(spec->ca_paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return err_errno(err, "cannot open '%s'", spec->ca_paths[i]);
        *dirs = xrealloc(*dirs, *n + 1, sizeof **dirs);
        (*dirs)[(*n)++] = fd;
    }
    return 0;
}

static int
start_recorder(struct call *c, struct err *err)
{
    const char **manifests;

    if (!c->s->record)
        return 0;
    manifests = xcalloc(c->n, sizeof *manifests);
    for (size_t i = 0; i < c->n; i++)
        manifests[i] = c->jobs[i].location.manifest_path;
    c->recorder = recorder_start(manifests, c->n, err);
    free(manifests);
    return c->recorder ? 0 : -1;
}

static void
note_missing(struct sandbox_state *state, const char *text)
{
    (void)snprintf(state->missing, sizeof state->missing, "%.*s", (int)sizeof state->missing - 1,
                   text);
}

/* The images and the source are open; from here on no file is needed that is not open, but for what
   is salvaged and segments past the limit of descriptors. OpenSSL reads its configuration before
   the door is closed. */
static void
enter_sandbox(struct call *c, const int *read_dirs, size_t n_read_dirs)
{
    int write_dirs[2];
    struct sandbox_spec spec = {
        .read_dirs = read_dirs,
        .n_read_dirs = n_read_dirs,
        .write_dirs = write_dirs,
        .n_write_dirs = c->salvage ? salvage_directories(c->salvage, write_dirs) : 0,
        .allow_threads = true,
        /* To the supervisor, and to the processes that were forked. */
        .allow_send = c->s->against != NULL || c->recorder || c->where,
    };
    struct err err = ERR_INIT;

    (void)digest_hex_length("sha256");
    if (sandbox_enter(&spec, true, &c->sandbox, &err) != 0)
        note_missing(&c->sandbox, err.text);
    if (*c->sandbox.missing)
        (void)fprintf(stderr, "exhibit: verifying without a full sandbox: %s\n",
                      c->sandbox.missing);
}

/* The directories that will be written to: that of what is salvaged, those of the ledgers. */
static int
writing_directories(const struct call *c, int **dirs, size_t *n, struct err *err)
{
    const char *base;

    *dirs = xcalloc(c->n + 1, sizeof **dirs);
    *n = 0;
    for (size_t i = 0; i <= c->n; i++) {
        const char *path = i < c->n ? c->jobs[i].location.manifest_path : c->s->salvage;

        if (!path || (i < c->n && !c->s->record))
            continue;
        (*dirs)[*n] = path_open_parent(path, &base, err);
        if ((*dirs)[*n] < 0)
            return -1;
        (*n)++;
    }
    return 0;
}

/* Root is needed to open what only root may read, and no longer: the rest is done as whoever asked,
   as root without capabilities where that is root itself. Where something will be written to which
   only root can write, root's rights stay. */
static int
step_down(const struct requester *who, const struct call *c, struct err *err)
{
    struct privilege as;
    AUTO_FREE int *dirs = NULL;
    size_t n = 0;
    int r = writing_directories(c, &dirs, &n, err);

    if (r == 0) {
        requester_writer(who, dirs, n, &as);
        if ((n == 0 || as.uid != 0) && privilege_drop(&as) != 0)
            r = err_errno(err, "cannot give up privileges");
    }
    for (size_t i = 0; i < n; i++)
        (void)close(dirs[i]);
    return r;
}

static int
open_source(struct call *c, const struct requester *who, struct err *err)
{
    struct privilege as;

    if (!c->s->against || c->jobs[0].state != JOB_OPEN || !c->jobs[0].image)
        return 0;
    privilege_find(who->uid, who->gid, &as);
    if (against_open(c->s->against, &as, &c->against, err) != 0)
        return -1;
    c->s->job.against = &c->against;
    return 0;
}

/* With the rights that this process has now: parsers are for hostile bytes. For a read-back there
   is no time. Whoever cannot be started is missed when asked. */
static void
start_where(struct call *c)
{
    AUTO_FREE struct where_image *images = xcalloc(c->n, sizeof *images);
    struct err why = ERR_INIT;

    for (size_t i = 0; i < c->n; i++) {
        const struct job *job = &c->jobs[i];

        if (job->state != JOB_OPEN || !job->image)
            continue;
        images[i] = (struct where_image){
            .path = job->location.path,
            .manifest = job->location.manifest_path,
        };
    }
    if (!c->s->job.from_medium)
        c->where = where_start(images, c->n, &why);
    c->s->job.where = c->where;
}

/* Opens everything, then gives everything up that is not needed any more, then parses. */
static int
prepare(struct call *c, char **images, struct err *err)
{
    struct requester who;
    AUTO_FREE int *dirs = NULL;
    size_t n_dirs;

    requester_find(&who);
    c->trust = trust_new(&c->s->trust, err);
    if (!c->trust)
        return -1;
    c->s->job.trust = c->trust;
    for (size_t i = 0; i < c->n; i++) {
        job_open(&c->jobs[i], images[i], &c->s->job);
        c->jobs[i].number = i;
    }
    if (open_source(c, &who, err) != 0)
        return -1;
    n_dirs = reading_directories(c, &dirs);
    if (n_dirs == 0 && step_down(&who, c, err) != 0)
        return -1;
    if (c->s->salvage && c->jobs[0].state == JOB_OPEN && c->jobs[0].image) {
        c->salvage = salvage_open(c->s->salvage, err);
        if (!c->salvage)
            return -1;
        c->s->job.salvage = c->salvage;
    }
    if (start_recorder(c, err) != 0 || add_authorities(&c->s->trust, &dirs, &n_dirs, err) != 0)
        return -1;
    start_where(c);
    enter_sandbox(c, dirs, n_dirs);
    c->s->job.sandbox = &c->sandbox;
    for (size_t i = 0; i < c->n; i++) {
        job_load(&c->jobs[i]);
        c->s->job.progress_total += job_size(&c->jobs[i]);
    }
    return 0;
}

/* --- outcomes ------------------------------------------------------------------------------- */

static enum outcome
outcome_of_error(const struct job *job)
{
    return job->err.outcome == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_FAILED;
}

/* Interrupted is the gravest, then what is broken here, then findings. */
static enum outcome
graver(enum outcome a, enum outcome b)
{
    static const int rank[] = {
        [OUTCOME_DONE] = 0,        [OUTCOME_FINDINGS] = 1, [OUTCOME_MISMATCH] = 2,
        [OUTCOME_FAILED] = 3,      [OUTCOME_USAGE] = 4,    [OUTCOME_REFUSED] = 5,
        [OUTCOME_INTERRUPTED] = 6,
    };

    return rank[a] >= rank[b] ? a : b;
}

static enum outcome
outcome_of(const struct job *job)
{
    enum outcome worst = OUTCOME_DONE;

    if (job->state == JOB_INTERRUPTED)
        return OUTCOME_INTERRUPTED;
    if (job->state == JOB_ERROR)
        return outcome_of_error(job);
    if ((job->verdict != VERDICT_PASSED && job->verdict != VERDICT_UNREFERENCED) || job->lost > 0)
        worst = OUTCOME_FINDINGS;
    if (job->compare && compare_results(job->compare)->gone)
        worst = OUTCOME_INTERRUPTED;
    return graver(graver(worst, job->salvage.outcome), job->finished.outcome);
}

/* --- running -------------------------------------------------------------------------------- */

/* Reports one job as soon as it is over. */
static void
report(const struct call *c, const struct job *job)
{
    const struct settings *s = c->s;

    progress_clear(s->job.progress);
    if (job->state == JOB_ERROR)
        (void)err_report(&job->err);
    if (job->state == JOB_INTERRUPTED) {
        AUTO_FREE char *name = text_printable(job->operand);

        (void)fprintf(stderr, "exhibit: interrupted: nothing was concluded about '%s'\n", name);
        return;
    }
    if (s->json)
        (void)json_array_append_new(c->results, output_json(job, &s->job, &c->sandbox));
    else if (job->state == JOB_CONCLUDED)
        output_text(job, &s->job, s->quiet);
    if (job->salvage.outcome != OUTCOME_DONE)
        (void)err_report(&job->salvage);
    if (job->finished.outcome != OUTCOME_DONE)
        (void)err_report(&job->finished);
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

/* What was concluded, as an event of the image's custody. */
static enum outcome
record(const struct call *c, size_t i)
{
    const struct job *job = &c->jobs[i];
    struct err err = ERR_INIT;
    json_t *fields;

    if (!c->recorder || job->state != JOB_CONCLUDED)
        return OUTCOME_DONE;
    fields = json_object();
    json_set_text(fields, "verdict", verdict_name(job->verdict));
    json_set_u64(fields, "unreadable_sectors", job->unreadable_sectors);
    if (recorder_add(c->recorder, i, fields, &err) == 0)
        return OUTCOME_DONE;
    return (enum outcome)err_report(&err);
}

static enum outcome
run_jobs(struct call *c)
{
    enum outcome worst = OUTCOME_DONE;

    for (size_t i = 0; i < c->n; i++) {
        struct job *job = &c->jobs[i];
        uint64_t size = job_size(job);

        if (interrupted && job->state == JOB_OPEN)
            job->state = JOB_INTERRUPTED;
        job_run(job, &c->s->job);
        c->s->job.progress_before += size;
        report(c, job);
        worst = graver(worst, outcome_of(job));
        worst = graver(worst, record(c, i));
        job_close(job);
    }
    if (c->s->json)
        print_json(c->results, c->n > 1);
    else if (c->n > 1 && !c->s->quiet)
        output_table(c->jobs, c->n);
    return worst;
}

static enum outcome
run(struct settings *s, char **images, size_t n)
{
    struct call c = {.s = s,
                     .jobs = xcalloc(n, sizeof *c.jobs),
                     .n = n,
                     .against.fd = -1,
                     .results = json_array()};
    struct err err = ERR_INIT;
    enum outcome worst;

    if (prepare(&c, images, &err) != 0)
        worst = (enum outcome)err_report(&err);
    else
        worst = run_jobs(&c);
    salvage_free(c.salvage);
    recorder_end(c.recorder);
    where_end(c.where);
    trust_free(c.trust);
    against_close(&c.against);
    for (size_t i = 0; i < n; i++)
        job_free(&c.jobs[i]);
    json_decref(c.results);
    free(c.jobs);
    return worst;
}

/* As a shell would take it again. */
static char *
command_line(int argc, char **argv)
{
    char *line = xstrdup("exhibit verify");

    for (int i = 1; i < argc; i++) {
        bool plain = strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789%+,-./:=@_") == strlen(argv[i]);
        char *before = line;

        line = xasprintf(plain && *argv[i] ? "%s %s" : "%s '%s'", before, argv[i]);
        free(before);
    }
    return line;
}

int
main(int argc, char **argv)
{
    struct settings s = {.job.stop = &interrupted};
    AUTO_FREE char *line = command_line(argc, argv);
    struct options *options = NULL;
    struct err err = ERR_INIT;
    enum outcome worst;
    char **images;
    size_t n;

    console_begin();
    if (settings_read(argc, argv, &s, &options, &images, &n, &err) != 0)
        return err_report(&err);
    s.job.command_line = line;
    s.job.progress = progress_new(s.progress);
    console_catch(on_signal);
    worst = run(&s, images, n);
    progress_free(s.job.progress);
    options_free(options);
    return console_end((int)worst);
}
