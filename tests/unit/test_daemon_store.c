#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "acquire/daemon/daemon_store.h"
#include "common/json.h"
#include "common/text.h"

static const struct queue_limits limits = {.parallel = 2, .per_user = 4, .ended = 3};

static struct daemon_job *
sample(uint64_t id)
{
    struct daemon_job *job = daemon_job_new();

    job->facts = (struct job_facts){.id = id,
                                    .uid = 1000,
                                    .state = JOB_INTERRUPTED,
                                    .exit = 4,
                                    .bytes_done = 1,
                                    .bytes_total = INT64_MAX,
                                    .unreadable_sectors = 3,
                                    .submitted = 1700000000,
                                    .started = 1700000001,
                                    .finished = 1700000002};
    job->gid = 1001;
    job->user = xstrdup("ada");
    job->source = xstrdup("/dev/a\xff\x01");
    job->dest = xstrdup("/cases/\xc3\xa4");
    job->options = xcalloc(2, sizeof *job->options);
    job->options[job->n_options++] = xstrdup("--notes=\xfe");
    job->options[job->n_options++] = xstrdup("");
    job->message = xstrdup("a message");
    job->begun = true;
    job->processes[1] = (struct job_process){.pid = 12, .start = 34};
    job->events.last = 99;
    return job;
}

static void
what_is_written_comes_back(void **state)
{
    struct daemon_job *job = sample(7);
    json_t *v = store_job_to_json(job);
    struct err err = ERR_INIT;
    struct daemon_job *got = store_job_from_json(v, &err);

    (void)state;
    assert_non_null(got);
    assert_memory_equal(&got->facts, &job->facts, sizeof got->facts);
    assert_int_equal(got->gid, 1001);
    assert_string_equal(got->source, job->source);
    assert_string_equal(got->dest, job->dest);
    assert_int_equal(got->n_options, 2);
    assert_string_equal(got->options[0], job->options[0]);
    assert_string_equal(got->options[1], "");
    assert_string_equal(got->message, "a message");
    assert_true(got->begun);
    assert_false(got->discard);
    assert_int_equal(got->processes[0].pid, 0);
    assert_int_equal(got->processes[1].pid, 12);
    assert_int_equal(got->processes[1].start, 34);
    assert_int_equal(got->events.last, 99);
    json_decref(v);
    daemon_job_free(got);
    daemon_job_free(job);
}

/* Each field missing, and of every wrong type. */
static void
malformed_jobs_are_errors(void **state)
{
    static const char *const needed[] = {"schema",     "id",        "uid",     "gid",     "user",
                                         "source",     "dest",      "options", "state",   "exit",
                                         "bytes_done", "submitted", "started", "finished"};
    static const char *const wrong[] = {
        "null", "-1", "1e9", "[1]", "{\"a\":1}", "true", "18446744073709551616"};

    (void)state;
    for (size_t i = 0; i < COUNT(needed); i++) {
        struct daemon_job *job = sample(7);
        json_t *v = store_job_to_json(job);
        struct err err = ERR_INIT;

        (void)json_object_del(v, "source_base64");
        (void)json_object_del(v, needed[i]);
        assert_null(store_job_from_json(v, &err));
        for (size_t k = 0; k < COUNT(wrong); k++) {
            json_t *bad = json_loads(wrong[k], JSON_DECODE_ANY, NULL);

            /* An exit of -1 is that of a job which has none yet. */
            if (bad && !(strcmp(needed[i], "exit") == 0 && k == 1)) {
                (void)json_object_set(v, needed[i], bad);
                assert_null(store_job_from_json(v, &err));
            }
            json_decref(bad);
        }
        json_decref(v);
        daemon_job_free(job);
    }
}

static void
noise_is_an_error_or_a_job(void **state)
{
    struct rng rng = rng_start("daemon_store");
    struct daemon_job *job = sample(7);
    json_t *v = store_job_to_json(job);
    char *text = json_to_text(v);
    size_t n = strlen(text);

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char *copy = xstrndup(text, n);
        struct err err = ERR_INIT;
        json_t *got;

        for (uint64_t k = 1 + rng_below(&rng, 3); k > 0; k--)
            copy[rng_below(&rng, n)] = (char)(' ' + rng_below(&rng, 95));
        got = json_loadb(copy, n, JSON_REJECT_DUPLICATES, NULL);
        if (got)
            daemon_job_free(store_job_from_json(got, &err));
        json_decref(got);
        free(copy);
    }
    free(text);
    json_decref(v);
    daemon_job_free(job);
}

static void
jobs_outlive_the_daemon(void **state)
{
    struct err err = ERR_INIT;
    struct store *s = store_open("jobs", &err);
    struct queue *q = queue_new(&limits);
    struct daemon_job *job = sample(7);
    struct stat st;
    int fd;

    (void)state;
    assert_non_null(s);
    assert_int_equal(stat("jobs", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_null(store_open("jobs", &err)); /* one at a time */
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_int_equal(store_save(s, job, &err), 0);
    job->facts.id = 8;
    job->facts.state = JOB_RUNNING;
    assert_int_equal(store_save(s, job, &err), 0);
    job->facts.id = 9;
    assert_int_equal(store_save(s, job, &err), 0);
    store_remove(s, 9);
    /* Of another id, no document, no regular file, no name of a job. */
    assert_int_equal(link("jobs/7.json", "jobs/10.json"), 0);
    fd = open("jobs/11.json", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "{", 1), 1);
    (void)close(fd);
    assert_int_equal(symlink("7.json", "jobs/12.json"), 0);
    assert_int_equal(symlink("7.json", "jobs/x.json"), 0);
    store_close(s);

    s = store_open("jobs", &err);
    assert_non_null(s);
    assert_int_equal(store_load(s, q, &err), 0);
    assert_non_null(queue_find(q, 7, 1000));
    assert_int_equal(queue_find(q, 8, 1000)->facts.state, JOB_QUEUED);
    assert_true(queue_find(q, 8, 1000)->urgent);
    assert_null(queue_after(q, 8, 0));
    store_close(s);
    queue_free(q);
    daemon_job_free(job);
}

static void
a_directory_of_others_is_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(mkdir("open", 0777), 0);
    assert_int_equal(chmod("open", 0777), 0);
    assert_null(store_open("open", &err));
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "linked"), 0);
    assert_null(store_open("linked", &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(malformed_jobs_are_errors),
        cmocka_unit_test(noise_is_an_error_or_a_job),
        cmocka_unit_test(jobs_outlive_the_daemon),
        cmocka_unit_test(a_directory_of_others_is_refused),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
