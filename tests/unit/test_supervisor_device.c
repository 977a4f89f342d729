/*
 * What the supervisor does with a device: it is held, protected, lent and released only as the
 * table and its starter's word permit.
 */
#include "tests/lib/supervisor_peer.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

static void
a_device_is_held_and_released(void **state)
{
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    m = ask(&p, opening(&d), NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(m.size, DISK_SIZE);
    assert_int_equal(m.level, WRITE_BLOCK_READ_ONLY_FLAG);
    assert_int_equal(m.before.read_only, 0);
    assert_int_equal(m.now.read_only, m.now.nodes);
    assert_true(is_read_only(&d));
    assert_int_equal(open(d.path, O_RDONLY | O_EXCL | O_CLOEXEC), -1); /* nobody else holds it */
    set_read_only(&d, 0);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_CHECK}, NULL, 0);
    assert_int_equal(m.lost, 1); /* noticed, and set again */
    assert_int_equal(m.size, DISK_SIZE);
    assert_true(is_read_only(&d));
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_int_equal(m.outcome, 0);
    assert_int_equal(access(m.text, R_OK), 0); /* the record */
    assert_true(is_read_only(&d));             /* the block stays */
    m = (struct supervisor_message){.type = SUPERVISOR_RELEASE, .device = d.number};
    m = ask(&p, m, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_RELEASED);
    assert_false(is_read_only(&d));
    assert_int_equal(part(&p), 0);
    detach(&d);
}

/* Attaches the disk and asks a new supervisor to open it at that level. */
static struct supervisor_message
open_at(uint32_t level, struct disk *d, struct peer *p)
{
    struct supervisor_message m;

    attach(d);
    *p = meet();
    m = opening(d);
    m.level = level;
    return ask(p, m, NULL, 0);
}

/* A level that this machine does not have; where it has it, there is nothing to refuse. */
static void
what_cannot_be_had_is_refused(void **state)
{
    struct disk d;
    struct peer p;
    struct supervisor_message m = open_at(WRITE_BLOCK_BPF_LSM, &d, &p);

    (void)state;
    if (m.type == SUPERVISOR_OPENED) {
        print_message("SKIP: the level bpf-lsm can be had here\n");
        assert_int_equal(m.level, WRITE_BLOCK_BPF_LSM);
        m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_FINISHED);
        m = (struct supervisor_message){.type = SUPERVISOR_RELEASE, .device = d.number};
        m = ask(&p, m, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_RELEASED);
    } else {
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_int_equal(m.outcome, OUTCOME_REFUSED);
    }
    assert_false(is_read_only(&d));
    assert_int_equal(part(&p), 0);
    detach(&d);
}

/* A refused job changes nothing. */
static void
refusals_leave_the_device_alone(void **state)
{
    struct supervisor_message wrong[3];
    struct supervisor_message m;
    struct disk d;
    struct peer p;
    int busy;

    (void)state;
    attach(&d);
    for (size_t i = 0; i < COUNT(wrong); i++)
        wrong[i] = opening(&d);
    wrong[0].diskseq = UINT64_C(1) << 60;                            /* another medium */
    (void)snprintf(wrong[1].text, sizeof wrong[1].text, "WD-OTHER"); /* another serial number */
    p = meet();
    for (size_t i = 0; i < 2; i++) {
        m = ask(&p, wrong[i], NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_int_equal(m.outcome, OUTCOME_REFUSED);
        assert_false(is_read_only(&d));
    }
    busy = open(d.path, O_RDONLY | O_EXCL | O_CLOEXEC);
    assert_true(busy >= 0);
    m = ask(&p, wrong[2], NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_REFUSED);
    assert_int_equal(m.outcome, OUTCOME_REFUSED);
    assert_non_null(strstr(m.text, "busy"));
    assert_false(is_read_only(&d));
    (void)close(busy);
    m = ask(&p, wrong[2], NULL, 0); /* and after all that it still works */
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(part(&p), 0);
    detach(&d);
}

static void
without_a_write_block_nothing_is_set(void **state)
{
    struct disk d;
    struct peer p;
    struct supervisor_message m = open_at(WRITE_BLOCK_NONE, &d, &p);

    (void)state;
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(m.level, WRITE_BLOCK_NONE);
    assert_int_equal(m.now.read_only, 0);
    assert_false(is_read_only(&d));
    assert_int_equal(part(&p), 0);
    assert_false(is_read_only(&d));
    detach(&d);
}

/* Misbehaviour while a device is held: it is let go, and the write block stays. */
static void
a_held_device_stays_blocked(void **state)
{
    struct start_fds s;
    struct disk d;

    (void)state;
    make_file("source");
    attach(&d);
    s = make_start("source");
    for (int i = 0; i < 4; i++) {
        struct peer p = meet();
        struct supervisor_message m = ask(&p, opening(&d), NULL, 0);

        assert_int_equal(m.type, SUPERVISOR_OPENED);
        m = opening(&d);
        if (i == 1) /* lifting the block under the job */
            m.type = SUPERVISOR_RELEASE;
        if (i == 2) /* another source than the one that is held */
            m = (struct supervisor_message){.type = SUPERVISOR_START};
        if (i == 3)
            m.type = 77;
        assert_fatal(p, &m, s.fds, i == 2 ? 3 : 0);
        assert_true(is_read_only(&d));
        set_read_only(&d, 0);
    }
    end_start(&s);
    detach(&d);
}

/* What a message may hold is checked before anything is done with it. */
static void
what_makes_no_sense_is_fatal(void **state)
{
    static const struct supervisor_message wrong[] = {
        {.type = SUPERVISOR_FINISH, .text = "0123"},
        {.type = SUPERVISOR_FINISH,
         .text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85\""},
    };
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    m = opening(&d);
    m.scsi_timeout = SUPERVISOR_TIMEOUT_MAX + 1;
    assert_fatal(meet(), &m, NULL, 0);
    m.scsi_timeout = 0;
    m.level = WRITE_BLOCK_NONE + 1;
    assert_fatal(meet(), &m, NULL, 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        p = meet();
        assert_int_equal(ask(&p, opening(&d), NULL, 0).type, SUPERVISOR_OPENED);
        assert_fatal(p, &wrong[i], NULL, 0);
        set_read_only(&d, 0);
    }
    detach(&d);
}

/* A descriptor of a device, however the front came by it, is no file. */
static void
a_device_cannot_come_as_a_file(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct start_fds s;
    struct disk d;

    (void)state;
    attach(&d);
    s = make_start(d.path);
    assert_fatal(meet(), &m, s.fds, 3);
    assert_false(is_read_only(&d));
    end_start(&s);
    detach(&d);
}

/* What the supervisor saw is written down even when the front breaks off. */
static void
a_record_is_kept_of_every_held_device(void **state)
{
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    m = ask(&p, opening(&d), NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    (void)close(p.sock);
    assert_int_equal(status_of(p.pid), 0);
    assert_int_equal(unlink(m.text), 0);
    /* No job began: the device is as it was. */
    assert_false(is_read_only(&d));
    detach(&d);
}

/* --- lending --- */

static void
held_to_compare(struct peer *p, const struct disk *d)
{
    peer_arguments(SUPERVISOR_COMPARE, NULL, NULL);
    *p = meet();
    peer_arguments(NULL, NULL, NULL);
    assert_int_equal(ask(p, opening(d), NULL, 0).type, SUPERVISOR_OPENED);
    assert_true(is_read_only(d));
}

static void
a_device_is_lent_for_a_comparison_only(void **state)
{
    static const struct supervisor_message wrong[] = {
        {.type = SUPERVISOR_START}, {.type = SUPERVISOR_RELEASE}, {.type = SUPERVISOR_OPEN}};
    struct supervisor_message lend = {.type = SUPERVISOR_LEND};
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    assert_int_equal(ask(&p, opening(&d), NULL, 0).type, SUPERVISOR_OPENED);
    assert_fatal(p, &lend, NULL, 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        held_to_compare(&p, &d);
        assert_fatal(p, &wrong[i], NULL, 0);
    }
    held_to_compare(&p, &d);
    assert_int_equal(ask(&p, lend, NULL, 0).type, SUPERVISOR_LENT);
    assert_fatal(p, &lend, NULL, 0); /* once */
    detach(&d);
}

static void
what_is_lent_can_only_be_read(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_LEND};
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    char byte = 1;
    struct disk d;
    struct peer p;
    size_t n;

    (void)state;
    attach(&d);
    held_to_compare(&p, &d);
    say(&p, &m, NULL, 0);
    assert_int_equal(supervisor_receive(p.sock, &m, fds, &n, &err), 1);
    assert_int_equal(n, 1);
    assert_int_equal(pread(fds[0], &byte, 1, 0), 1);
    assert_int_equal(byte, 0);
    assert_int_equal(pwrite(fds[0], &byte, 1, 0), -1);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_int_equal(m.outcome, 0);
    assert_true(is_read_only(&d));
    (void)close(fds[0]);
    (void)part(&p);
    detach(&d);
}

/* --- the policy of jobs that come from the daemon --- */

static struct peer
meet_with_mark(const char *mark)
{
    struct peer p;

    peer_arguments(SUPERVISOR_ACQUIRE, SUPERVISOR_EVIDENCE, mark);
    p = meet();
    peer_arguments(NULL, NULL, NULL);
    return p;
}

static void
only_evidence_is_taken(void **state)
{
    static const char *const marks[] = {NULL, "serial=NONE", "wwn=NONE", "path=/dev/null"};
    AUTO_FREE char *mark = NULL;
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    for (size_t i = 0; i < COUNT(marks); i++) {
        p = meet_with_mark(marks[i]);
        m = ask(&p, opening(&d), NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_int_equal(m.outcome, OUTCOME_REFUSED);
        assert_non_null(strstr(m.text, "not marked as evidence"));
        assert_false(is_read_only(&d));
        assert_int_equal(part(&p), 0);
    }
    mark = xasprintf("path=%s", d.path);
    p = meet_with_mark(mark);
    assert_int_equal(ask(&p, opening(&d), NULL, 0).type, SUPERVISOR_OPENED);
    assert_int_equal(part(&p), 0);
    detach(&d);
}

/* Marked or not: nothing is left without a write block, and no other job's is lifted. */
static void
evidence_stays_protected(void **state)
{
    struct supervisor_message release = {.type = SUPERVISOR_RELEASE};
    AUTO_FREE char *mark = NULL;
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    mark = xasprintf("path=%s", d.path);
    p = meet_with_mark(mark);
    m = opening(&d);
    m.level = WRITE_BLOCK_NONE;
    m = ask(&p, m, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_REFUSED);
    assert_int_equal(m.outcome, OUTCOME_REFUSED);
    set_read_only(&d, 1);
    release.device = d.number;
    assert_fatal(p, &release, NULL, 0);
    assert_true(is_read_only(&d));
    detach(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_held_and_released),
        cmocka_unit_test(what_cannot_be_had_is_refused),
        cmocka_unit_test(refusals_leave_the_device_alone),
        cmocka_unit_test(without_a_write_block_nothing_is_set),
        cmocka_unit_test(a_held_device_stays_blocked),
        cmocka_unit_test(what_makes_no_sense_is_fatal),
        cmocka_unit_test(a_device_cannot_come_as_a_file),
        cmocka_unit_test(a_record_is_kept_of_every_held_device),
        cmocka_unit_test(a_device_is_lent_for_a_comparison_only),
        cmocka_unit_test(what_is_lent_can_only_be_read),
        cmocka_unit_test(only_evidence_is_taken),
        cmocka_unit_test(evidence_stays_protected),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
