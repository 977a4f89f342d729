#include "tests/lib/unit.h"

#include "acquire/daemon/daemon_options.h"
#include "acquire/daemon/daemon_queue.h"
#include "common/text.h"

static const struct queue_limits limits = {.parallel = 2, .per_user = 4, .ended = 3};
static struct run *const process = (struct run *)(uintptr_t)16;

static struct daemon_job *
put(struct queue *q, uid_t uid, enum job_state state)
{
    struct daemon_job *job = daemon_job_new();

    job->facts.uid = uid;
    job->facts.state = state;
    queue_add(q, job);
    return job;
}

static void
users_see_their_own(void **state)
{
    struct queue *q = queue_new(&limits);
    struct daemon_job *a = put(q, 1000, JOB_QUEUED);
    struct daemon_job *b = put(q, 1001, JOB_QUEUED);

    (void)state;
    assert_int_equal(a->facts.id, 1);
    assert_int_equal(b->facts.id, 2);
    assert_ptr_equal(queue_find(q, 1, 1000), a);
    assert_null(queue_find(q, 1, 1001));
    assert_null(queue_find(q, 2, 1000));
    assert_null(queue_find(q, 3, 0));
    assert_null(queue_find(q, 0, 0));
    assert_ptr_equal(queue_find(q, 2, 0), b);
    assert_ptr_equal(queue_after(q, 0, 1001), b);
    assert_null(queue_after(q, 2, 1001));
    assert_ptr_equal(queue_after(q, 0, 0), a);
    assert_ptr_equal(queue_after(q, 1, 0), b);
    queue_free(q);
}

static void
the_fewest_running_goes_first(void **state)
{
    struct queue *q = queue_new(&limits);
    struct daemon_job *a = put(q, 1000, JOB_QUEUED);
    struct daemon_job *a2 = put(q, 1000, JOB_QUEUED);
    struct daemon_job *b = put(q, 1001, JOB_QUEUED);

    (void)state;
    assert_ptr_equal(queue_next(q), a);
    a->run = process;
    a->facts.state = JOB_RUNNING;
    assert_ptr_equal(queue_next(q), b);
    b->facts.state = JOB_PAUSED;
    assert_ptr_equal(queue_next(q), a2);
    /* A paused one with processes keeps its place. */
    b->run = process;
    assert_int_equal(queue_running(q), 2);
    assert_null(queue_next(q));
    a->run = b->run = NULL;
    queue_free(q);
}

static void
what_a_restart_interrupted_goes_before_all(void **state)
{
    struct queue *q = queue_new(&limits);
    struct daemon_job *a = put(q, 1000, JOB_RUNNING);
    struct daemon_job *b = put(q, 1001, JOB_QUEUED);
    struct daemon_job *a2 = put(q, 1000, JOB_QUEUED);

    (void)state;
    a->run = process;
    a2->urgent = true;
    assert_ptr_equal(queue_next(q), a2);
    /* But not while its processes of before are there. */
    a2->waits_for_left = true;
    assert_ptr_equal(queue_next(q), b);
    a->run = NULL;
    queue_free(q);
}

static void
there_are_limits(void **state)
{
    struct queue *q = queue_new(&limits);
    struct daemon_job *gone;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(queue_has_room(q, 1000));
        (void)put(q, 1000, i % 2 ? JOB_PAUSED : JOB_QUEUED);
    }
    assert_false(queue_has_room(q, 1000));
    assert_true(queue_has_room(q, 1001));
    for (int i = 0; i < 5; i++)
        put(q, 1000, JOB_DONE)->facts.finished = 100 - i;
    put(q, 1001, JOB_DONE)->facts.finished = 1;
    /* Of those that ended, the ones longest ago; of this user alone. */
    gone = queue_forget(q);
    assert_int_equal(gone->facts.finished, 96);
    daemon_job_free(gone);
    gone = queue_forget(q);
    assert_int_equal(gone->facts.finished, 97);
    daemon_job_free(gone);
    assert_null(queue_forget(q));
    queue_free(q);
}

static void
ids_are_not_used_again(void **state)
{
    struct queue *q = queue_new(&limits);
    struct daemon_job *old = daemon_job_new();

    (void)state;
    old->facts.id = 41;
    queue_add(q, old);
    old = daemon_job_new();
    old->facts.id = 7;
    queue_add(q, old);
    old = put(q, 1, JOB_QUEUED);
    assert_int_equal(old->facts.id, 42);
    queue_remove(q, old);
    assert_null(queue_find(q, 42, 0));
    daemon_job_free(old);
    queue_skip(q, 50);
    queue_skip(q, 3);
    queue_skip(q, JOB_ID_MAX);
    assert_int_equal(put(q, 1, JOB_QUEUED)->facts.id, 51);
    assert_int_equal(queue_count(q), 3);
    assert_int_equal(queue_after(q, 0, 0)->facts.id, 7);
    queue_free(q);
}

/* --- options --- */

static enum outcome
judge(const char *source, const char *dest, const char *const *options, size_t n)
{
    struct err err = ERR_INIT;

    if (daemon_options_check(source, dest, (char *const *)(uintptr_t)options, n, &err) == 0)
        return OUTCOME_DONE;
    return err.outcome;
}

static void
options_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *options[3];
        size_t n;
        enum outcome outcome;
    } cases[] = {
        {{"--format", "raw"}, 2, OUTCOME_DONE},
        {{"--format=raw", "--notes=-q"}, 2, OUTCOME_DONE},
        {{"--write-block", "bpf-lsm"}, 2, OUTCOME_DONE},
        {{"--progress=bar"}, 1, OUTCOME_USAGE},
        {{"--progress", "bar"}, 2, OUTCOME_USAGE},
        {{"--quiet"}, 1, OUTCOME_USAGE},
        {{"-q"}, 1, OUTCOME_USAGE},
        {{"-"}, 1, OUTCOME_USAGE},
        {{"--"}, 1, OUTCOME_USAGE},
        {{"--json"}, 1, OUTCOME_USAGE},
        {{"--resume"}, 1, OUTCOME_USAGE},
        {{"--segment-dir=/x"}, 1, OUTCOME_USAGE},
        {{"--passphrase-fd", "0"}, 2, OUTCOME_USAGE},
        {{"--help"}, 1, OUTCOME_USAGE},
        {{"--copy", "x"}, 2, OUTCOME_USAGE},
        {{"--copy=/x"}, 1, OUTCOME_DONE},
        {{"--sign-key", "pkcs11:token=x"}, 2, OUTCOME_DONE},
        {{"--write-block", "none"}, 2, OUTCOME_REFUSED},
        {{"--write-block=none"}, 1, OUTCOME_REFUSED},
        {{"--format", "raw", "--write-block"}, 3, OUTCOME_DONE}, /* exhibit-acquire says it */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(judge("/s", "/d", cases[i].options, cases[i].n), cases[i].outcome);
    assert_int_equal(judge("s", "/d", NULL, 0), OUTCOME_USAGE);
    assert_int_equal(judge("/s", "../d", NULL, 0), OUTCOME_USAGE);
    assert_int_equal(judge("/s", "", NULL, 0), OUTCOME_USAGE);
}

static void
an_option_without_its_argument_takes_nothing_else(void **state)
{
    char *own[] = {(char[]){"--case=1"}, (char[]){"--examiner"}};
    struct daemon_job job = {
        .source = (char[]){"/s"}, .dest = (char[]){"/d"}, .options = own, .n_options = 2};
    char **argv = daemon_options_argv(&job, true);
    static const char *const expected[] = {
        "exhibit-acquire", "--progress=json", "--resume", "/s", "/d", "--case=1", "--examiner"};

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(argv[i], expected[i]);
    assert_null(argv[COUNT(expected)]);
    free((void *)argv);
}

static void
own_options_take_the_place_of_defaults(void **state)
{
    static const struct {
        const char *word;
        const char *own[3];
        size_t n;
        bool replaced;
    } cases[] = {
        {"--examiner=Lab", {"--notes=x", "--case=1"}, 2, false},
        {"--examiner=Lab", {"--case=1", "--examiner=Me"}, 2, true},
        {"--examiner=Lab", {"--examiner", "Me"}, 2, true},
        {"--no-verify", {"--no-verify"}, 1, true},
        {"--meta=lab=1", {"--meta=seal=2"}, 1, false},
        {"--meta=lab=1", {"--meta=labs=2"}, 1, false},
        {"--meta=lab=1", {"--meta=seal=2", "--meta=lab=2"}, 2, true},
        {"--meta=lab=1", {"--meta", "lab=2"}, 2, true},
        {"--tsa=http://a/", {"--tsa=http://b/"}, 1, true},
        {"--compression=best", {"--format=raw"}, 1, true},
        {"--compression=best", {"--format", "e01"}, 2, false},
        {"--hardware-blocker=T8", {"--write-block=bpf-lsm"}, 1, true},
        {"--hardware-blocker=T8", {"--write-block", "hardware"}, 2, false},
        {"--examiner=Lab", {"--examiner"}, 1, true},
        {"--meta=lab=1", {"--meta"}, 1, false},
        {"--examiner=Lab", {NULL}, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (daemon_options_replace(cases[i].word, (char *const *)(uintptr_t)cases[i].own,
                                   cases[i].n) != cases[i].replaced)
            fail_msg("'%s', case %zu", cases[i].word, i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_see_their_own),
        cmocka_unit_test(the_fewest_running_goes_first),
        cmocka_unit_test(what_a_restart_interrupted_goes_before_all),
        cmocka_unit_test(there_are_limits),
        cmocka_unit_test(ids_are_not_used_again),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(an_option_without_its_argument_takes_nothing_else),
        cmocka_unit_test(own_options_take_the_place_of_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
