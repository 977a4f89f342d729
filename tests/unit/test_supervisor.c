/*
 * Speaks the supervisor's protocol to the program itself: whatever is asked out of turn ends the
 * supervisor and changes nothing. What it does with devices: test_supervisor_device.c.
 */
#include "tests/lib/supervisor_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/text.h"

/* --- without a device --- */

static void
a_front_that_leaves_is_no_error(void **state)
{
    struct peer p = meet();

    (void)state;
    assert_int_equal(part(&p), 0);
}

static void
arguments_are_checked(void **state)
{
    static const char *const bad[] = {"", "-1", "root", "4294967295", "1x"};
    static const char *const more[][3] = {
        {""},
        {"verify"},
        {"evidence"},
        {"acquire", ""},
        {"acquire", "any"},
        {"compare", "acquire"},
        {"acquire", "evidence", ""},
        {"acquire", "evidence", "serial="}, /* which every disk without one would match */
        {"acquire", "evidence", "path=sda"},
        {"acquire", "evidence", "model=X"},
    };

    (void)state;
    assert_int_equal(status_of(peer_start(NULL, NULL, NULL, NULL)), OUTCOME_USAGE);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(status_of(peer_start(bad[i], "0", NULL, NULL)), OUTCOME_USAGE);
        assert_int_equal(status_of(peer_start("0", bad[i], NULL, NULL)), OUTCOME_USAGE);
    }
    for (size_t i = 0; i < COUNT(more); i++) {
        peer_arguments(more[i][0], more[i][1], more[i][2]);
        assert_int_equal(status_of(peer_start("0", "0", NULL, NULL)), OUTCOME_USAGE);
    }
    peer_arguments(NULL, NULL, NULL);
}

static void
garbage_ends_it(void **state)
{
    struct rng rng = rng_start("supervisor");
    uint8_t noise[2 * sizeof(struct supervisor_message)];

    (void)state;
    for (int round = 0; round < 20; round++) {
        size_t n =
            round % 4 == 0 ? sizeof(struct supervisor_message) : 1 + rng_below(&rng, sizeof noise);
        struct supervisor_message got;
        struct peer p = meet();

        for (size_t i = 0; i < n; i++)
            noise[i] = (uint8_t)rng_next(&rng);
        noise[0] |= 0x40; /* no request by chance */
        assert_int_equal(send(p.sock, noise, n, MSG_NOSIGNAL), n);
        assert_false(hear(&p, &got));
        assert_int_equal(part(&p), 1);
    }
}

/* In the first state only OPEN, START and RELEASE are requests; answers never are. */
static void
requests_out_of_state_end_it(void **state)
{
    (void)state;
    for (uint32_t type = 0; type <= SUPERVISOR_REFUSED + 1; type++) {
        struct supervisor_message m = {.type = type};

        if (type != SUPERVISOR_OPEN && type != SUPERVISOR_RELEASE) /* START: without descriptors */
            assert_fatal(meet(), &m, NULL, 0);
    }
}

static void
requests_that_do_not_hold_together_end_it(void **state)
{
    struct supervisor_message open_it = {.type = SUPERVISOR_OPEN, .level = WRITE_BLOCK_NONE + 1};
    struct supervisor_message release = {.type = SUPERVISOR_RELEASE};
    struct supervisor_message text = {.type = SUPERVISOR_OPEN};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_fatal(meet(), &open_it, NULL, 0);
    open_it.level = UINT32_MAX;
    assert_fatal(meet(), &open_it, NULL, 0);
    open_it.level = 0;
    assert_fatal(meet(), &open_it, &null, 1); /* with descriptors, where none belong */
    assert_fatal(meet(), &release, &null, 1);
    memset(text.text, 'a', sizeof text.text);
    assert_fatal(meet(), &text, NULL, 0);
    (void)close(null);
}

static void
devices_that_are_not_there_are_refused(void **state)
{
    static const uint64_t numbers[] = {0, 0x0103,
                                       UINT64_MAX}; /* 1:3 is /dev/null, no block device */
    struct peer p = meet();

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct supervisor_message m = {.type = SUPERVISOR_OPEN, .device = numbers[i]};

        /* 1:3 as a block device is ram3, where there is one. */
        if (numbers[i] == 0x0103 && access("/dev/ram3", F_OK) == 0)
            continue;
        m = ask(&p, m, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_true(m.text[0] != '\0');
        m = (struct supervisor_message){.type = SUPERVISOR_RELEASE, .device = numbers[i]};
        m = ask(&p, m, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
    }
    assert_int_equal(part(&p), 0);
}

/* Sources that are no regular files go through OPEN, where the policy is. */
static void
only_files_start_without_open(void **state)
{
    static const char *const sources[] = {"/dev/null", "/", "/dev/loop-control"};
    struct supervisor_message m = {.type = SUPERVISOR_START};

    (void)state;
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct start_fds s;

        if (access(sources[i], R_OK) != 0)
            continue;
        s = make_start(sources[i]);
        assert_fatal(meet(), &m, s.fds, 3);
        end_start(&s);
    }
}

static void
counts_must_agree(void **state)
{
    static const uint32_t copies[] = {8, 9, UINT32_MAX, UINT32_MAX - 1};
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct start_fds s;

    (void)state;
    make_file("source");
    s = make_start("source");
    for (size_t i = 0; i < COUNT(copies); i++) {
        m.n_copies = copies[i];
        for (size_t n = 0; n <= SUPERVISOR_FDS_MAX; n++)
            assert_fatal(meet(), &m, s.fds, n);
    }
    m.n_copies = 0;
    for (size_t n = 0; n <= SUPERVISOR_FDS_MAX; n++) {
        if (n != 3)
            assert_fatal(meet(), &m, s.fds, n);
    }
    m.n_copies = 1;
    assert_fatal(meet(), &m, s.fds, 3);
    end_start(&s);
}

/* Waits until the process runs the worker's program; false if it ended before. */
static bool
worker_runs(pid_t pid)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/comm", (long)pid);

    for (int i = 0; i < 500; i++) {
        AUTO_FILE FILE *f = fopen(path, "re");
        char name[32] = "";

        if (!f || !fgets(name, sizeof name, f))
            return false;
        if (strncmp(name, "exhibit-worker", 14) == 0)
            return true;
        (void)usleep(10000);
    }
    return false;
}

/* The first number of a line of /proc/PID/status. */
static uint64_t
status_field(pid_t pid, const char *key, int base)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/status", (long)pid);
    AUTO_FILE FILE *f = fopen(path, "re");
    char line[256];

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0)
            return strtoull(line + strlen(key), NULL, base);
    }
    fail_msg("no '%s' in %s", key, path);
    return 0;
}

static void
a_worker_runs_as_the_user_and_ends(void **state)
{
    uid_t user = getuid() == 0 ? NOBODY : getuid();
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct peer p = meet_as(user);
    struct start_fds s;
    pid_t worker;

    (void)state;
    make_file("source");
    s = make_start("source");
    m = ask(&p, m, s.fds, 3);
    assert_int_equal(m.type, SUPERVISOR_STARTED);
    worker = (pid_t)m.status;
    if (worker_runs(worker)) {
        assert_int_equal(status_field(worker, "Uid:", 10), user);
        assert_int_equal(status_field(worker, "CapEff:", 16), 0);
        assert_int_equal(status_field(worker, "CapPrm:", 16), 0);
        if (getuid() == 0)
            assert_int_equal(status_field(worker, "CapBnd:", 16), 0);
        assert_int_equal(status_field(worker, "NoNewPrivs:", 10), 1);
    } else {
        print_message("note: uid %u cannot run the programs where they lie\n", (unsigned)user);
    }
    end_start(&s); /* the front hangs up on the worker, which ends */
    assert_true(hear(&p, &m));
    assert_int_equal(m.type, SUPERVISOR_ENDED);
    assert_int_not_equal(m.status, 0);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_CHECK}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_CHECKED);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_string_equal(m.text, ""); /* a file has no record */
    assert_int_equal(part(&p), 0);
}

/* With a worker running, breaking the protocol or leaving takes the worker along. */
static void
the_worker_never_outlives_it(void **state)
{
    static const struct supervisor_message wrong[] = {
        {.type = SUPERVISOR_START},   {.type = SUPERVISOR_OPEN},    {.type = SUPERVISOR_FINISH},
        {.type = SUPERVISOR_RELEASE}, {.type = SUPERVISOR_REFUSED}, {.type = 0},
    };

    (void)state;
    make_file("source");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct supervisor_message m = {.type = SUPERVISOR_START};
        struct start_fds s = make_start("source");
        struct peer p = meet();
        pid_t worker;

        m = ask(&p, m, s.fds, 3);
        assert_int_equal(m.type, SUPERVISOR_STARTED);
        worker = (pid_t)m.status;
        if (wrong[i].type == 0) {
            assert_int_equal(part(&p), 0); /* the front only leaves */
        } else {
            assert_fatal(p, &wrong[i], NULL, 0);
        }
        assert_int_equal(kill(worker, 0), -1);
        assert_int_equal(errno, ESRCH);
        end_start(&s);
    }
}

/* --- without root --- */

static void
nobody_speaks_for_others(void **state)
{
    const struct privilege nobody = {.uid = NOBODY, .gid = NOBODY};
    static const char root[] = "0";
    static const char self[] = "65534";

    (void)state;
    if (getuid() != 0) {
        print_message("SKIP: needs root\n");
        skip();
    }
    peer_use_copy(true);
    assert_int_equal(status_of(peer_start(root, root, NULL, &nobody)), OUTCOME_REFUSED);
    assert_int_equal(status_of(peer_start(self, root, NULL, &nobody)), OUTCOME_REFUSED);
    assert_int_equal(status_of(peer_start(root, self, NULL, &nobody)), OUTCOME_REFUSED);
    peer_use_copy(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_that_leaves_is_no_error),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(garbage_ends_it),
        cmocka_unit_test(requests_out_of_state_end_it),
        cmocka_unit_test(requests_that_do_not_hold_together_end_it),
        cmocka_unit_test(devices_that_are_not_there_are_refused),
        cmocka_unit_test(only_files_start_without_open),
        cmocka_unit_test(counts_must_agree),
        cmocka_unit_test(a_worker_runs_as_the_user_and_ends),
        cmocka_unit_test(the_worker_never_outlives_it),
        cmocka_unit_test(nobody_speaks_for_others),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
