#include "tests/lib/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acquire/job/channel.h"
#include "acquire/job/resume.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define LENGTH (UINT64_C(1) << 40)
#define N_SEGMENTS 2000
#define N_RANGES 30000

static int ends[2];

static void
meet(void)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void
part(void)
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
fill(struct resume *r)
{
    r->again = true;
    r->n_dirs = 4;
    r->owner[1] = 1;
    r->owner[3] = 1;
    for (size_t i = 0; i < N_SEGMENTS; i++) {
        AUTO_FREE char *file = xasprintf("EV\xff-01.%03zu", i + 1);
        struct kept_segment s = {.file = file,
                                 .dir = i < 100 ? 2 : 0,
                                 .size = 4096 + i,
                                 .media_offset = i * 8192,
                                 .media_length = 8192};

        (void)snprintf(s.md5, sizeof s.md5, "%032zx", i);
        resume_add_segment(r, 0, &s);
    }
    r->sinks[1].durable = 123456;
    r->sinks[1].open_dir = 3;
    for (uint64_t i = 0; i < N_RANGES; i++)
        ranges_add(&r->known, LENGTH / 2 + i * 4096, 512 * (1 + i % 7));
}

static void *
send_all(void *arg)
{
    struct err err = ERR_INIT;

    return resume_send(ends[0], arg, &err) == 0 ? arg : NULL;
}

static void
everything_travels(void **state)
{
    struct resume out = {0};
    struct resume in;
    struct err err = ERR_INIT;
    pthread_t sender;
    void *sent;

    (void)state;
    meet();
    fill(&out);
    assert_int_equal(pthread_create(&sender, NULL, send_all, &out), 0);
    if (resume_receive(ends[1], &in, 4, LENGTH, &err) != 0)
        fail_msg("%s", err.text);
    (void)pthread_join(sender, &sent);
    assert_non_null(sent);
    assert_int_equal(in.sinks[0].n, N_SEGMENTS);
    for (size_t i = 0; i < N_SEGMENTS; i++) {
        const struct kept_segment *a = &in.sinks[0].v[i];
        const struct kept_segment *b = &out.sinks[0].v[i];

        assert_string_equal(a->file, b->file);
        assert_string_equal(a->md5, b->md5);
        assert_string_equal(a->sha256, "");
        assert_int_equal(a->dir, b->dir);
        assert_int_equal(a->size, b->size);
        assert_int_equal(a->media_offset, b->media_offset);
        assert_int_equal(a->media_length, b->media_length);
    }
    assert_int_equal(kept_end(&in.sinks[0]), N_SEGMENTS * 8192);
    assert_int_equal(in.sinks[1].n, 0);
    assert_int_equal(in.sinks[1].durable, 123456);
    assert_int_equal(in.sinks[1].open_dir, 3);
    assert_int_equal(in.owner[3], 1);
    assert_true(in.again);
    assert_int_equal(in.known.n, N_RANGES);
    assert_memory_equal(in.known.v, out.known.v, N_RANGES * sizeof *in.known.v);
    resume_clear(&in);
    resume_clear(&out);
    part();
}

static void
assert_refused(const char *text, enum outcome outcome)
{
    json_t *m = json_loads(text, 0, NULL);
    struct err err = ERR_INIT;
    struct resume in;

    if (!m)
        fail_msg("the test's message is no JSON: %s", text);
    meet();
    assert_int_equal(channel_send(ends[0], m, &err), 0);
    if (resume_receive(ends[1], &in, 2, 65536, &err) != -1)
        fail_msg("taken: %s", text);
    assert_int_equal(err.outcome, outcome);
    resume_clear(&in);
    part();
}

#define KEPT(sink, dir, file, offset, length)                                                      \
    "{\"type\":\"kept\",\"sink\":" sink ",\"dir\":" dir ",\"file\":\"" file                        \
    "\",\"size\":1,\"media_offset\":" offset ",\"media_length\":" length                           \
    ",\"md5\":\"\",\"sha256\":\"\"}"

static void
what_does_not_hold_together_is_refused(void **state)
{
    static const char *const bad[] = {
        "{\"type\":\"else\"}",
        KEPT("2", "0", "a", "0", "512"),
        KEPT("0", "2", "a", "0", "512"),
        KEPT("0", "0", "../a", "0", "512"),
        KEPT("0", "0", "", "0", "512"),
        KEPT("0", "0", "a", "512", "512"),
        KEPT("0", "0", "a", "0", "0"),
        KEPT("0", "0", "a", "0", "65537"),
        "{\"type\":\"durable\",\"sink\":0,\"dir\":0,\"media\":65537}",
        "{\"type\":\"durable\",\"sink\":0,\"dir\":7,\"media\":1}",
        "{\"type\":\"directory\",\"sink\":2,\"dir\":0}",
        "{\"type\":\"known\",\"ranges\":[{\"offset\":65535,\"length\":2}]}",
        "{\"type\":\"known\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(bad[i], OUTCOME_FAILED);
    assert_refused("{\"type\":\"stop\"}", OUTCOME_INTERRUPTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_travels),
        cmocka_unit_test(what_does_not_hold_together_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
