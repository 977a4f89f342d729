/*
 * What the same libraries need for the same bytes without any pipeline: one thread, one block after
 * the other, the processor time of each step apart. That sum over the cores, and no less than the
 * slowest hash alone, is the least time that a pipeline could take (docs/performance.md).
 *
 *   bench-floor e01|best FILE SCRATCH     read, hash, compress, hash what is written, write it
 *   bench-floor raw FILE SCRATCH SEGMENT  read, hash the whole and each segment, write it
 *   bench-floor verify FIRST-SEGMENT FILE           read and inflate, hash; FILE is the same media
 *   bench-floor verify-segments FIRST-SEGMENT FILE  the same, and hash the files
 *
 * Prints "STEP SECONDS" a line; "md5" is that of the media alone, of which the others know nothing.
 * "in-order" is the same least time for a pipeline that holds no more than WINDOW of the media at
 * once, and so cannot do the work of one part of the disk while it waits for the hash of another; 0
 * where what is hashed is not all of one order (raw, verify-segments).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/worker/packer.h"
#include "common/digest.h"
#include "common/image.h"
#include "common/size.h"
#include "common/text.h"

#define BLOCK ((size_t)1 << 20)
#define CHUNK ((size_t)32 << 10)

enum step {
    READ,
    MEDIA_HASHES,
    PACK,
    FILE_HASHES,
    WRITE,
    STEPS,
};

static const char *const step_names[STEPS] = {"read", "media-hashes", "pack", "file-hashes",
                                              "write"};
static double spent[STEPS];

#define WINDOW (64 * BLOCK)
static double in_order;

/* Processor time of this process, seconds. */
static double
now(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A window ends with the bytes up to `at`: each takes what its work takes on all cores, and no less
   than its hashes on one. */
static void
end_window(uint64_t at)
{
    static double sum_before;
    static double hash_before;
    double sum = 0;

    if (at % WINDOW != 0)
        return;
    for (size_t i = 0; i < STEPS; i++)
        sum += spent[i];
    in_order += fmax((sum - sum_before) / (double)sysconf(_SC_NPROCESSORS_ONLN),
                     spent[MEDIA_HASHES] - hash_before);
    sum_before = sum;
    hash_before = spent[MEDIA_HASHES];
}

static int
die(struct err *err, const char *what)
{
    (void)err_context(err, "%s", what);
    return err_report(err);
}

struct hashes {
    struct digest *v[DIGEST_TOGETHER_MAX];
    size_t n;
};

static int
hashes_begin(struct hashes *h, size_t pairs, struct err *err)
{
    for (size_t i = 0; i < 2 * pairs; i++) {
        h->v[h->n] = digest_new(i % 2 == 0 ? "md5" : "sha256", err);
        if (!h->v[h->n++])
            return -1;
    }
    return 0;
}

static void
add(struct hashes *h, enum step step, const void *data, size_t n)
{
    double begun = now();

    digest_update_all(h->v, h->n, data, n);
    spent[step] += now() - begun;
}

static int
put(int fd, const void *data, size_t n, struct err *err)
{
    double begun = now();
    ssize_t w = write(fd, data, n);

    spent[WRITE] += now() - begun;
    return w == (ssize_t)n ? 0 : err_errno(err, "cannot write");
}

static ssize_t
fill(int fd, void *buf)
{
    double begun = now();
    size_t done = 0;
    ssize_t got = 1;

    while (done < BLOCK && (got = read(fd, (char *)buf + done, BLOCK - done)) > 0)
        done += (size_t)got;
    spent[READ] += now() - begun;
    return got < 0 ? -1 : (ssize_t)done;
}

/* --- the kinds --- */

static int
pack_and_write(struct packer *p, struct block *b, struct hashes *files, int out, struct err *err)
{
    static uint8_t joined[2 * BLOCK];
    double begun = now();
    size_t n = 0;

    packer_pack(p, b);
    spent[PACK] += now() - begun;
    /* A stored chunk is followed by its checksum; the order is that of the file. */
    for (size_t i = 0; i < b->n_chunks; i++) {
        memcpy(joined + n, b->chunks[i].data, b->chunks[i].size);
        n += b->chunks[i].size;
    }
    add(files, FILE_HASHES, joined, n);
    return put(out, joined, n, err);
}

static int
run_e01(int in, int out, enum compression compression, struct err *err)
{
    struct packer *p = packer_new(compression, CHUNK, err);
    struct hashes media = {0};
    struct hashes files = {0};
    struct block b = {.data = aligned_alloc(4096, BLOCK),
                      .packed = aligned_alloc(4096, BLOCK),
                      .chunks = xcalloc(BLOCK / CHUNK, sizeof *b.chunks)};
    ssize_t got;

    if (!p || hashes_begin(&media, 1, err) != 0 || hashes_begin(&files, 1, err) != 0)
        return -1;
    while ((got = fill(in, b.data)) > 0) {
        b.length = (size_t)got;
        add(&media, MEDIA_HASHES, b.data, b.length);
        if (pack_and_write(p, &b, &files, out, err) != 0)
            return -1;
        b.offset += b.length;
        end_window(b.offset);
    }
    end_window(0);
    return 0;
}

/* Whole and per segment: the same bytes, so four hashes at once. */
static int
run_raw(int in, int out, uint64_t segment, struct err *err)
{
    uint8_t *buf = aligned_alloc(4096, BLOCK);
    struct hashes media = {0};
    uint64_t at = 0;
    char hex[DIGEST_HEX_MAX];
    ssize_t got;

    if (hashes_begin(&media, 2, err) != 0)
        return -1;
    while ((got = fill(in, buf)) > 0) {
        if (segment > 0 && at % segment == 0 && at > 0) {
            digest_final_hex(media.v[2], hex);
            digest_final_hex(media.v[3], hex);
        }
        add(&media, MEDIA_HASHES, buf, (size_t)got);
        if (put(out, buf, (size_t)got, err) != 0)
            return -1;
        at += (uint64_t)got;
    }
    return 0;
}

static int
run_verify(const char *path, bool segments, struct err *err)
{
    struct image_options options = {0};
    struct image *image = image_open(path, &options, err);
    uint8_t *buf = aligned_alloc(4096, BLOCK);
    const struct image_info *info;
    struct hashes media = {0};

    if (!image || hashes_begin(&media, 1, err) != 0)
        return -1;
    info = image_info(image);
    for (uint64_t at = 0; at < info->media_size;) {
        uint64_t left = info->media_size - at;
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        double begun = now();

        if (image_read(image, buf, n, at, err) != (ssize_t)n)
            return -1;
        spent[READ] += now() - begun;
        add(&media, MEDIA_HASHES, buf, n);
        at += n;
        if (!segments)
            end_window(at);
    }
    for (size_t i = 0; segments && i < info->n_segments; i++) {
        struct hashes files = {0};
        int fd = open(info->segments[i].path, O_RDONLY | O_CLOEXEC);
        ssize_t got;

        if (fd < 0 || hashes_begin(&files, 1, err) != 0)
            return -1;
        /* Not counted as read: their bytes passed by already, when chunks were taken from them. */
        while ((got = read(fd, buf, BLOCK)) > 0)
            add(&files, FILE_HASHES, buf, (size_t)got);
        (void)close(fd);
    }
    if (!segments)
        end_window(0);
    return 0;
}

/* --- the slowest hash --- */

static double
md5_alone(const char *path, struct err *err)
{
    struct digest *d = digest_new("md5", err);
    uint8_t *buf = aligned_alloc(4096, BLOCK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    double sum = 0;
    ssize_t got;

    while (d && fd >= 0 && (got = read(fd, buf, BLOCK)) > 0) {
        double begun = now();

        digest_update(d, buf, (size_t)got);
        sum += now() - begun;
    }
    return sum;
}

static int
run_kind(const char *kind, char **argv, int argc, struct err *err)
{
    bool segments = strcmp(kind, "verify-segments") == 0;
    uint64_t segment = 0;
    int in;
    int out;

    if (segments || strcmp(kind, "verify") == 0)
        return run_verify(argv[2], segments, err);
    if (argc == 5 && size_parse(argv[4], 512, "the segment", &segment, err) != 0)
        return -1;
    in = open(argv[2], O_RDONLY | O_CLOEXEC);
    out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        return err_errno(err, "no file to read, or none to write to");
    if (strcmp(kind, "raw") == 0)
        return run_raw(in, out, segment, err);
    return run_e01(in, out, strcmp(kind, "best") == 0 ? COMPRESSION_BEST : COMPRESSION_FAST, err);
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    bool verifies = argc >= 2 && strncmp(argv[1], "verify", 6) == 0;
    int r = -1;

    if (argc == 4 || argc == 5)
        r = run_kind(argv[1], argv, argc, &err);
    else
        (void)err_set(&err, OUTCOME_USAGE, "what to do, from which file, to which");
    if (r != 0)
        return die(&err, "bench-floor");
    for (size_t i = 0; i < STEPS; i++)
        (void)printf("%s %.3f\n", step_names[i], spent[i]);
    (void)printf("in-order %.3f\n", in_order);
    (void)printf("md5 %.3f\n", md5_alone(argv[verifies ? 3 : 2], &err));
    return 0;
}
