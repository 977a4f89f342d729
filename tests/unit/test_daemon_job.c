#include "tests/lib/unit.h"

#include <signal.h>

#include "acquire/daemon/daemon_job.h"
#include "common/text.h"

#define NOW 1000000000

static struct daemon_job *
job_in(enum job_state state, bool with_process)
{
    struct daemon_job *job = daemon_job_new();

    job->facts.id = 7;
    job->facts.state = state;
    job->begun = with_process || state != JOB_QUEUED;
    job->run = with_process ? (struct run *)(uintptr_t)16 : NULL;
    return job;
}

static void
drop(struct daemon_job *job)
{
    job->run = NULL;
    daemon_job_free(job);
}

enum call { PAUSE, CONTINUE, CANCEL, DISCARD };

static enum daemon_refusal
make_call(struct daemon_job *job, enum call call, enum job_action *action)
{
    struct err err = ERR_INIT;

    switch (call) {
    case PAUSE:
        return daemon_job_pause(job, NOW, action, &err);
    case CONTINUE:
        return daemon_job_continue(job, NOW, action, &err);
    default:
        return daemon_job_cancel(job, call == DISCARD, NOW, action, &err);
    }
}

/* Every call in every state. */
static void
calls_do_what_the_state_permits(void **state)
{
    static const struct {
        enum job_state state;
        bool process;
        enum call call;
        enum daemon_refusal refusal;
        enum job_action action;
        enum job_state then;
    } cases[] = {
        {JOB_QUEUED, false, PAUSE, REFUSAL_NONE, JOB_ACT_NONE, JOB_PAUSED},
        {JOB_QUEUED, false, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_QUEUED},
        {JOB_QUEUED, false, CANCEL, REFUSAL_NONE, JOB_ACT_NONE, JOB_CANCELLED},
        {JOB_QUEUED, false, DISCARD, REFUSAL_NONE, JOB_ACT_NONE, JOB_CANCELLED},
        {JOB_RUNNING, true, PAUSE, REFUSAL_NONE, JOB_ACT_PAUSE, JOB_PAUSED},
        {JOB_RUNNING, true, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_RUNNING},
        {JOB_RUNNING, true, CANCEL, REFUSAL_NONE, JOB_ACT_STOP, JOB_RUNNING},
        {JOB_RUNNING, true, DISCARD, REFUSAL_NONE, JOB_ACT_STOP, JOB_RUNNING},
        {JOB_PAUSED, true, PAUSE, REFUSAL_NONE, JOB_ACT_NONE, JOB_PAUSED},
        {JOB_PAUSED, true, CONTINUE, REFUSAL_NONE, JOB_ACT_CONTINUE, JOB_RUNNING},
        {JOB_PAUSED, true, CANCEL, REFUSAL_NONE, JOB_ACT_STOP, JOB_PAUSED},
        {JOB_PAUSED, false, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_QUEUED},
        {JOB_PAUSED, false, CANCEL, REFUSAL_NONE, JOB_ACT_NONE, JOB_CANCELLED},
        {JOB_PAUSED, false, DISCARD, REFUSAL_NONE, JOB_ACT_DISCARD, JOB_CANCELLED},
        {JOB_DONE, false, PAUSE, REFUSAL_STATE, JOB_ACT_NONE, JOB_DONE},
        {JOB_DONE, false, CONTINUE, REFUSAL_STATE, JOB_ACT_NONE, JOB_DONE},
        {JOB_DONE, false, CANCEL, REFUSAL_STATE, JOB_ACT_NONE, JOB_DONE},
        {JOB_DONE, false, DISCARD, REFUSAL_STATE, JOB_ACT_NONE, JOB_DONE},
        {JOB_FAILED, false, PAUSE, REFUSAL_STATE, JOB_ACT_NONE, JOB_FAILED},
        {JOB_FAILED, false, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_QUEUED},
        {JOB_FAILED, false, DISCARD, REFUSAL_NONE, JOB_ACT_DISCARD, JOB_CANCELLED},
        {JOB_INTERRUPTED, false, PAUSE, REFUSAL_STATE, JOB_ACT_NONE, JOB_INTERRUPTED},
        {JOB_INTERRUPTED, false, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_QUEUED},
        {JOB_INTERRUPTED, false, CANCEL, REFUSAL_NONE, JOB_ACT_NONE, JOB_CANCELLED},
        {JOB_CANCELLED, false, CONTINUE, REFUSAL_NONE, JOB_ACT_NONE, JOB_QUEUED},
        {JOB_CANCELLED, false, CANCEL, REFUSAL_NONE, JOB_ACT_NONE, JOB_CANCELLED},
        {JOB_CANCELLED, false, DISCARD, REFUSAL_NONE, JOB_ACT_DISCARD, JOB_CANCELLED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct daemon_job *job = job_in(cases[i].state, cases[i].process);
        enum job_action action;

        (void)snprintf(job->phase, sizeof job->phase, "acquire");
        assert_int_equal(make_call(job, cases[i].call, &action), cases[i].refusal);
        assert_int_equal(action, cases[i].action);
        assert_int_equal(job->facts.state, cases[i].then);
        drop(job);
    }
}

/* A signal that comes before the front catches it would end it. */
static void
a_pause_waits_for_the_first_word(void **state)
{
    static const char progress[] =
        "{\"phase\":\"acquire\",\"bytes_done\":1,\"bytes_total\":2,\"rate\":3,\"eta_s\":4,"
        "\"unreadable_sectors\":5}";
    struct daemon_job *job = job_in(JOB_RUNNING, true);
    enum job_action action;

    (void)state;
    assert_int_equal(make_call(job, PAUSE, &action), REFUSAL_NONE);
    assert_int_equal(action, JOB_ACT_NONE);
    assert_int_equal(job->facts.state, JOB_PAUSED);
    assert_int_equal(daemon_job_hear(job, "a warning", 9, NOW), JOB_ACT_NONE);
    assert_int_equal(daemon_job_hear(job, progress, strlen(progress), NOW), JOB_ACT_PAUSE);
    assert_int_equal(daemon_job_hear(job, progress, strlen(progress), NOW), JOB_ACT_NONE);
    assert_int_equal(job->facts.unreadable_sectors, 5);
    assert_int_equal(make_call(job, CONTINUE, &action), REFUSAL_NONE);
    assert_int_equal(action, JOB_ACT_CONTINUE);
    drop(job);

    /* Taken back before it was given. */
    job = job_in(JOB_RUNNING, true);
    assert_int_equal(make_call(job, PAUSE, &action), REFUSAL_NONE);
    assert_int_equal(make_call(job, CONTINUE, &action), REFUSAL_NONE);
    assert_int_equal(action, JOB_ACT_NONE);
    assert_int_equal(daemon_job_hear(job, progress, strlen(progress), NOW), JOB_ACT_NONE);
    drop(job);
}

static void
what_has_been_read_cannot_be_paused(void **state)
{
    struct daemon_job *job = job_in(JOB_RUNNING, true);
    enum job_action action;

    (void)state;
    (void)snprintf(job->phase, sizeof job->phase, "verify");
    assert_int_equal(make_call(job, PAUSE, &action), REFUSAL_STATE);
    assert_int_equal(job->facts.state, JOB_RUNNING);
    drop(job);
}

static void
the_end_is_what_the_front_says(void **state)
{
    static const struct {
        int status;
        bool stopping, discard, resumable;
        enum job_state then;
        enum job_action action;
    } cases[] = {
        {0, false, false, false, JOB_DONE, JOB_ACT_NONE},
        {3, false, false, false, JOB_DONE, JOB_ACT_NONE},
        {1, false, false, false, JOB_FAILED, JOB_ACT_NONE},
        {1, false, false, true, JOB_INTERRUPTED, JOB_ACT_NONE},
        {2, false, false, false, JOB_FAILED, JOB_ACT_NONE},
        {5, false, false, false, JOB_FAILED, JOB_ACT_NONE},
        {6, false, false, false, JOB_FAILED, JOB_ACT_NONE},
        {4, false, false, false, JOB_INTERRUPTED, JOB_ACT_NONE},
        {128 + SIGKILL, false, false, false, JOB_INTERRUPTED, JOB_ACT_NONE},
        {4, true, false, true, JOB_CANCELLED, JOB_ACT_NONE},
        {4, true, true, true, JOB_CANCELLED, JOB_ACT_DISCARD},
        {128 + SIGINT, true, true, false, JOB_CANCELLED, JOB_ACT_DISCARD},
        {0, true, true, false, JOB_DONE, JOB_ACT_NONE}, /* it was whole all the same */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct daemon_job *job = job_in(JOB_RUNNING, true);

        job->facts.stopping = cases[i].stopping;
        job->discard = cases[i].discard;
        if (cases[i].resumable)
            (void)daemon_job_hear(job, "{\"resumable\":true}", 18, NOW);
        assert_int_equal(daemon_job_ended(job, cases[i].status, NOW), cases[i].action);
        assert_int_equal(job->facts.state, cases[i].then);
        assert_int_equal(job->facts.exit, cases[i].status);
        assert_int_equal(job->facts.finished, NOW / 1000);
        assert_int_equal(job->facts.stopping, 0);
        drop(job);
    }
}

static void
a_restart_keeps_what_was_meant(void **state)
{
    static const struct {
        enum job_state state;
        bool stopping;
        enum job_state then;
        bool urgent;
    } cases[] = {
        {JOB_RUNNING, false, JOB_QUEUED, true},       {JOB_RUNNING, true, JOB_CANCELLED, false},
        {JOB_PAUSED, false, JOB_PAUSED, false},       {JOB_PAUSED, true, JOB_CANCELLED, false},
        {JOB_QUEUED, false, JOB_QUEUED, false},       {JOB_DONE, false, JOB_DONE, false},
        {JOB_CANCELLED, false, JOB_CANCELLED, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct daemon_job *job = job_in(cases[i].state, false);
        const struct job_event *e;
        uint64_t last;

        job->facts.stopping = cases[i].stopping;
        job->message = xstrdup("why");
        /* As a new daemon has it: no events, but their numbers go on. */
        last = job->events.last;
        job_events_clear(&job->events);
        job->events.last = last;
        daemon_job_set_aside(job, 5000);
        /* Whoever asks for its events hears where it stands, and why it ended. */
        e = job_events_after(&job->events, last);
        assert_non_null(e);
        assert_int_equal(e->kind, JOB_EVENT_STATE);
        assert_int_equal(e->facts.state, cases[i].then);
        if (job_state_is_end(cases[i].then))
            assert_string_equal(e->text, "why");
        assert_int_equal(job->facts.state, cases[i].then);
        assert_int_equal(job->urgent, cases[i].urgent);
        assert_int_equal(job->facts.stopping, 0);
        if (cases[i].stopping)
            assert_int_equal(job->facts.finished, 5);
        drop(job);
    }
}

/* A user could have the front say anything. */
static void
hostile_lines_are_messages(void **state)
{
    static const char *const lines[] = {
        "{",
        "{}",
        "{\"phase\":\"acquire\"}",
        "{\"phase\":1,\"bytes_done\":1,\"bytes_total\":2,\"rate\":3,\"eta_s\":4,"
        "\"unreadable_sectors\":5}",
        "{\"phase\":\"a\\u001b[2J\",\"bytes_done\":1,\"bytes_total\":2,\"rate\":3,\"eta_s\":4,"
        "\"unreadable_sectors\":5}",
        "{\"phase\":\"acquire\",\"bytes_done\":-1,\"bytes_total\":2,\"rate\":3,\"eta_s\":4,"
        "\"unreadable_sectors\":5}",
        "{\"phase\":\"acquireacquireacquireacquireacquire\",\"bytes_done\":1,\"bytes_total\":2,"
        "\"rate\":3,\"eta_s\":4,\"unreadable_sectors\":5}",
        "\x1b[2J",
        "\xff\xfe",
    };
    struct daemon_job *job = job_in(JOB_RUNNING, true);
    struct rng rng = rng_start("daemon_job");

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        (void)daemon_job_hear(job, lines[i], strlen(lines[i]), NOW);
        assert_string_equal(job->phase, "");
        assert_int_equal(job->facts.bytes_done, 0);
        assert_null(strchr(job->message, '\x1b'));
    }
    for (int i = 0; i < 2000; i++) {
        char noise[64];

        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)rng_next(&rng);
        noise[0] = '{';
        (void)daemon_job_hear(job, noise, rng_below(&rng, sizeof noise + 1), NOW);
    }
    assert_int_equal(daemon_job_hear(job, "exhibit: warning: hot", 21, NOW), JOB_ACT_NONE);
    assert_string_equal(job->message, "warning: hot");
    drop(job);
}

/* --- events --- */

static void
add(struct job_events *e, int64_t now_ms, enum job_event_kind kind, const char *text)
{
    static const struct job_facts facts = {.id = 1, .submitted = NOW / 1000};
    struct job_news news = {.kind = kind, .facts = &facts, .phase = "", .text = text};

    job_events_add(e, now_ms, &news);
}

static void
events_come_in_order_and_once(void **state)
{
    struct job_events *e = xcalloc(1, sizeof *e);
    const struct job_event *one;
    uint64_t at = 0;
    size_t n = 0;

    (void)state;
    assert_null(job_events_after(e, 0));
    add(e, NOW, JOB_EVENT_STATE, NULL);
    for (int i = 0; i < 50; i++) {
        add(e, NOW + i, JOB_EVENT_PROGRESS, NULL);
        add(e, NOW + i, JOB_EVENT_MESSAGE, "x");
    }
    add(e, NOW - 100000, JOB_EVENT_PROGRESS, NULL); /* a clock that was set back */
    while ((one = job_events_after(e, at)) != NULL) {
        assert_true(one->number > at);
        at = one->number;
        n++;
    }
    /* Of the progress, the last word alone. */
    assert_int_equal(n, 52);
    assert_int_equal(at, e->last);
    job_events_clear(e);
    free(e);
}

static void
the_oldest_events_are_forgotten(void **state)
{
    struct job_events *e = xcalloc(1, sizeof *e);
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 3 * EVENTS_KEPT; i++)
        add(e, NOW, JOB_EVENT_MESSAGE, "x");
    assert_int_equal(e->n, EVENTS_KEPT);
    for (const struct job_event *one = job_events_after(e, 0); one;
         one = job_events_after(e, one->number))
        n++;
    assert_int_equal(n, EVENTS_KEPT);
    assert_int_equal(job_events_after(e, 0)->number, 2 * EVENTS_KEPT + 1);
    job_events_clear(e);
    free(e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_do_what_the_state_permits),
        cmocka_unit_test(a_pause_waits_for_the_first_word),
        cmocka_unit_test(what_has_been_read_cannot_be_paused),
        cmocka_unit_test(the_end_is_what_the_front_says),
        cmocka_unit_test(a_restart_keeps_what_was_meant),
        cmocka_unit_test(hostile_lines_are_messages),
        cmocka_unit_test(events_come_in_order_and_once),
        cmocka_unit_test(the_oldest_events_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
