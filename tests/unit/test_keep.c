#include "tests/lib/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquire/worker/packer.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "tests/lib/written.h"

/* Sinks that go on after an interruption: whatever stands after the promises, the files must end
   up as those of a run that nobody interrupted. */

#define KIB ((size_t)1024)
#define BLOCK (256 * KIB)
#define MEDIA (6 * 1024 * KIB + 512 * 77)
#define CHUNK (64 * 512)
#define ROUNDS_FEW (SANITIZED ? 5 : 40) /* each forks, which a sanitizer makes slow */
#define ROUNDS_MANY 200

struct world {
    uint8_t *data;
    uint64_t segment_size;
    bool e01;
    int dirs[2]; /* the one that is written to, an earlier one */
};

static struct sink *
new_sink(const struct world *w, struct segment_log *log, const struct resume *resume,
         struct err *err)
{
    struct sink_spec spec = {.dir = w->dirs[0],
                             .name = "EV-01",
                             .media_size = MEDIA,
                             .sector_size = 512,
                             .segment_size = w->segment_size,
                             .log = log,
                             .resume = resume,
                             .dirs = w->dirs};
    struct e01_spec e01 = {.sectors_per_chunk = 64, .date = 1700000000, .case_number = "77"};

    return w->e01 ? sink_e01_new(&spec, &e01, err) : sink_raw_new(&spec, err);
}

static int
feed(const struct world *w, struct sink *sink, uint64_t until, struct err *err)
{
    struct packer *packer = packer_new(COMPRESSION_FAST, CHUNK, err);
    struct block b = {.data = xcalloc(BLOCK, 1),
                      .packed = xcalloc(BLOCK, 1),
                      .chunks = xcalloc(BLOCK / CHUNK + 1, sizeof *b.chunks)};
    int r = 0;

    assert_non_null(packer);
    for (uint64_t at = 0; r == 0 && at < until; at += BLOCK) {
        b.offset = at;
        b.length = until - at < BLOCK ? (size_t)(until - at) : BLOCK;
        if (at + b.length <= sink->from)
            continue;
        memcpy(b.data, w->data + at, b.length);
        packer_pack(packer, &b);
        r = sink->ops->put(sink, &b, err);
    }
    packer_free(packer);
    free(b.data);
    free(b.packed);
    free(b.chunks);
    return r;
}

/* One run to the end; what it listed is appended to *promises. */
static void
whole_run(const struct world *w, const struct resume *resume, struct resume *promises)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(w->dirs[0], w->e01, &err);
    struct sink *sink = new_sink(w, log, resume, &err);
    struct manifest_hashes hashes = {0};
    struct ranges bad = {0};
    struct sink_final final = {.hashes = &hashes, .unreadable = &bad};
    AUTO_FREE struct segment *v = NULL;
    size_t n;

    if (!sink)
        fail_msg("%s", err.text);
    manifest_hash_add(&hashes, "md5", "0123456789abcdef0123456789abcdef");
    ranges_add(&bad, 512 * 40, 1024);
    if (feed(w, sink, MEDIA, &err) != 0 || sink->ops->finish(sink, &final, &err) != 0 ||
        segment_log_finish(log, &err) != 0)
        fail_msg("%s", err.text);
    v = listed_segments(log, &n);
    for (size_t i = 0; promises && i < n; i++) {
        struct kept_segment k = {.file = v[i].file,
                                 .size = v[i].size,
                                 .media_offset = v[i].media_offset,
                                 .media_length = v[i].media_length};

        memcpy(k.md5, v[i].md5, sizeof k.md5);
        memcpy(k.sha256, v[i].sha256, sizeof k.sha256);
        resume_add_segment(promises, 0, &k);
    }
    sink->ops->free(sink);
    segment_log_free(log);
    manifest_hashes_free(&hashes);
    ranges_free(&bad);
}

/* A run that is killed when it has been fed so much. */
static void
killed_run(const struct world *w, uint64_t until)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(w->dirs[0], w->e01, &err);
        struct sink *sink = new_sink(w, log, NULL, &err);

        _exit(sink && feed(w, sink, until, &err) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static uint64_t
size_of(int dir, const char *file)
{
    struct stat st;

    return fstatat(dir, file, &st, 0) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

/* A power cut: bytes of the file after `from` are lost, or zeros, or rubbish. */
static void
tear(int dir, const char *file, uint64_t from, struct rng *rng)
{
    AUTO_FD int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
    uint64_t size = size_of(dir, file);
    uint64_t at;

    if (fd < 0 || size <= from)
        return;
    at = from + rng_below(rng, size - from + 1);
    switch (rng_below(rng, 4)) {
    case 0:
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
        break;
    case 1:
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        break;
    case 2:
        assert_int_equal(pwrite(fd, "rubbish", 7, (off_t)at), 7);
        break;
    default:
        break;
    }
}

static void
assert_same_files(int a, int b)
{
    AUTO_FREE char *command = xasprintf("diff -r /proc/%ld/fd/%d/ /proc/%ld/fd/%d/ >&2",
                                        (long)getpid(), a, (long)getpid(), b);

    assert_int_equal(system(command), 0);
}

static void
clear_all(const struct world *w)
{
    clear_directory(w->dirs[0]);
    clear_directory(w->dirs[1]);
}

/* Moves the first segments into the earlier directory. */
static void
move_kept(const struct world *w, struct resume *r)
{
    r->n_dirs = 2;
    for (size_t i = 0; i < r->sinks[0].n; i++) {
        r->sinks[0].v[i].dir = 1;
        assert_int_equal(
            renameat(w->dirs[0], r->sinks[0].v[i].file, w->dirs[1], r->sinks[0].v[i].file), 0);
    }
}

static void
move_back(const struct world *w, const struct resume *r)
{
    for (size_t i = 0; r->n_dirs == 2 && i < r->sinks[0].n; i++)
        assert_int_equal(
            renameat(w->dirs[1], r->sinks[0].v[i].file, w->dirs[0], r->sinks[0].v[i].file), 0);
}

static int
open_dir(const char *name)
{
    int fd;

    (void)mkdir(name, 0700);
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void
one_round(struct world *w, int truth, const struct resume *all, struct rng *rng, bool elsewhere)
{
    uint64_t until = BLOCK * (1 + rng_below(rng, MEDIA / BLOCK));
    struct resume promised = {.again = true, .n_dirs = 1};
    const struct kept_sink *k = &all->sinks[0];
    size_t closed = 0;
    size_t keep;

    killed_run(w, until);
    /* A segment is closed for certain once the next one is there. */
    while (closed + 1 < k->n && size_of(w->dirs[0], k->v[closed + 1].file) != UINT64_MAX)
        closed++;
    keep = (size_t)rng_below(rng, closed + 1);
    for (size_t i = 0; i < keep; i++)
        resume_add_segment(&promised, 0, &k->v[i]);
    if (elsewhere)
        move_kept(w, &promised);
    if (!w->e01 && !elsewhere && until > kept_end(&promised.sinks[0])) {
        uint64_t end = kept_end(&promised.sinks[0]);
        uint64_t size = size_of(w->dirs[0], k->v[keep].file);

        promised.sinks[0].durable = end + (size ? rng_below(rng, size + 1) / 512 * 512 : 0);
        tear(w->dirs[0], k->v[keep].file, promised.sinks[0].durable - end, rng);
    }
    for (size_t i = keep + (promised.sinks[0].durable > 0 ? 1 : 0); i < k->n; i++)
        tear(w->dirs[0], k->v[i].file, 0, rng);
    whole_run(w, &promised, NULL);
    move_back(w, &promised);
    assert_same_files(w->dirs[0], truth);
    resume_clear(&promised);
    clear_all(w);
}

static void
go_through(bool e01, uint64_t segment_size, bool elsewhere)
{
    struct rng rng = rng_start("keep");
    struct world w = {.data = xcalloc(MEDIA, 1), .e01 = e01, .segment_size = segment_size};
    int truth = open_dir("truth");
    struct resume all = {.n_dirs = 1};
    unsigned rounds = test_count("keep", ROUNDS_FEW, ROUNDS_MANY, "kills of each kind");

    for (size_t i = 0; i < MEDIA; i++)
        w.data[i] = (uint8_t)(i / 65536 % 3 ? rng_next(&rng) : i / 1000);
    w.dirs[0] = truth;
    whole_run(&w, NULL, &all);
    w.dirs[0] = open_dir("a");
    w.dirs[1] = open_dir("b");
    for (unsigned i = 0; i < rounds; i++)
        one_round(&w, truth, &all, &rng, elsewhere);
    clear_directory(truth);
    (void)close(truth);
    (void)close(w.dirs[0]);
    (void)close(w.dirs[1]);
    resume_clear(&all);
    free(w.data);
}

static void
e01_goes_on(void **state)
{
    (void)state;
    go_through(true, 1024 * KIB, false);
}

static void
e01_goes_on_in_another_directory(void **state)
{
    (void)state;
    go_through(true, 1024 * KIB, true);
}

static void
e01_of_one_segment_begins_afresh(void **state)
{
    (void)state;
    go_through(true, 64 * 1024 * KIB, false);
}

static void
raw_goes_on(void **state)
{
    (void)state;
    go_through(false, 1000 * KIB, false);
    go_through(false, 0, false);
}

static void
raw_goes_on_in_another_directory(void **state)
{
    (void)state;
    go_through(false, 1000 * KIB, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(e01_goes_on, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(e01_goes_on_in_another_directory, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(e01_of_one_segment_begins_afresh, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(raw_goes_on, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(raw_goes_on_in_another_directory, scratch_enter,
                                        scratch_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
