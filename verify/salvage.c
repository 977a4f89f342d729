#include "verify/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/manifest.h"
#include "common/mapfile.h"
#include "common/outfile.h"
#include "common/text.h"

#define PART ((size_t)1 << 20)
#define SECTOR 512 /* the unit in which a damaged part of a raw image is tried */

/* In the order in which they are moved: the manifest last. */
static const char *const names[] = {".raw", ".map", ".md5", ".sha256", MANIFEST_SUFFIX};
#define N_NAMES (sizeof names / sizeof names[0])

struct salvage {
    const char *dest;
    const char *name; /* its last component */
    int parent;
    int partial;
    int raw; /* DEST.raw */
    bool published;

    struct image *image;
    const struct ranges *unreadable;
    struct ranges lost;
    struct digest *md5;
    struct digest *sha256;
    uint64_t at; /* media bytes written so far */
    struct err failure;
    bool failed;
    char md5_hex[DIGEST_HEX_MAX];
    char sha256_hex[DIGEST_HEX_MAX];
    char started[CLOCK_TEXT_MAX];
    uint8_t *zeros; /* PART of them */
    uint8_t *buf;   /* PART */
};

/* --- before --------------------------------------------------------------------------------- */

static int
check_names(const struct salvage *s, struct err *err)
{
    static const char *const more[] = {".partial", ".001", ".E01", ".log"};
    const char *all[N_NAMES + sizeof more / sizeof more[0]];
    size_t n = 0;
    struct stat st;

    for (size_t i = 0; i < N_NAMES; i++)
        all[n++] = names[i];
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        all[n++] = more[i];
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *name = xasprintf("%s%s", s->name, all[i]);

        if (fstatat(s->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return err_set(err, OUTCOME_REFUSED,
                           "'%s%s' already exists; nothing is ever overwritten", s->dest, all[i]);
        if (errno != ENOENT)
            return err_errno(err, "cannot look for '%s%s'", s->dest, all[i]);
    }
    return 0;
}

static int
make_partial(struct salvage *s, struct err *err)
{
    AUTO_FREE char *dir = xasprintf("%s.partial", s->name);
    AUTO_FREE char *raw = xasprintf("%s.raw", s->name);

    if (mkdirat(s->parent, dir, 0700) != 0)
        return err_errno(err, "cannot create '%s.partial'", s->dest);
    s->partial = openat(s->parent, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->partial < 0)
        return err_errno(err, "cannot open '%s.partial'", s->dest);
    s->raw = openat(s->partial, raw, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (s->raw < 0)
        return err_errno(err, "cannot create '%s.raw'", s->dest);
    return 0;
}

struct salvage *
salvage_open(const char *dest, struct err *err)
{
    struct salvage *s = xcalloc(1, sizeof *s);

    *s = (struct salvage){.dest = dest, .parent = -1, .partial = -1, .raw = -1};
    s->failure = (struct err)ERR_INIT;
    s->parent = path_open_parent(dest, &s->name, err);
    if (s->parent < 0 || check_names(s, err) != 0 || make_partial(s, err) != 0) {
        salvage_free(s);
        return NULL;
    }
    s->md5 = digest_new("md5", err);
    s->sha256 = digest_new("sha256", err);
    s->zeros = xcalloc(1, PART);
    s->buf = xcalloc(1, PART);
    if (s->md5 && s->sha256)
        return s;
    salvage_free(s);
    return NULL;
}

size_t
salvage_directories(const struct salvage *s, int out[2])
{
    out[0] = s->parent;
    out[1] = s->partial;
    return 2;
}

void
salvage_begin(struct salvage *s, struct image *img, const struct ranges *unreadable)
{
    s->image = img;
    s->unreadable = unreadable;
    (void)clock_text(clock_now(), s->started);
}

/* --- the pass ------------------------------------------------------------------------------- */

static void
fail(struct salvage *s)
{
    int sys = errno;

    if (s->failed)
        return;
    s->failed = true;
    (void)err_errno(&s->failure, "cannot write '%s.raw'", s->dest);
    if (sys == ENOSPC || sys == EDQUOT)
        s->failure.outcome = OUTCOME_INTERRUPTED;
}

static void
write_all(struct salvage *s, const uint8_t *p, size_t n)
{
    size_t done = 0;

    while (done < n && !s->failed) {
        ssize_t r = pwrite(s->raw, p + done, n - done, (off_t)(s->at + done));

        if (r < 0 && errno != EINTR)
            fail(s);
        else if (r > 0)
            done += (size_t)r;
    }
}

/* The next n bytes of the media. Zeros are left as a hole. */
static void
put(struct salvage *s, const uint8_t *p, size_t n)
{
    bool zero = n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);

    digest_update_pair(s->md5, s->sha256, p, n);
    if (!zero)
        write_all(s, p, n);
    s->at += n;
}

static void
put_zeros(struct salvage *s, uint64_t n, const atomic_bool *stop)
{
    while (n > 0 && !*stop && !s->failed) {
        size_t part = n < PART ? (size_t)n : PART;

        digest_update_pair(s->md5, s->sha256, s->zeros, part);
        s->at += part;
        n -= part;
    }
}

/* Where a raw image is cut or its medium fails, sector by sector what is there. */
static void
put_raw_sectors(struct salvage *s, size_t n)
{
    const struct image_info *info = image_info(s->image);
    uint64_t end = s->at + n;

    while (s->at < end) {
        size_t part = end - s->at < SECTOR ? (size_t)(end - s->at) : SECTOR;
        bool ok = false;

        for (size_t i = 0; i < info->n_segments; i++) {
            const struct image_segment *g = &info->segments[i];

            if (!g->present || s->at < g->media_offset ||
                s->at - g->media_offset >= g->media_length)
                continue;
            if (part > g->media_length - (s->at - g->media_offset))
                part = (size_t)(g->media_length - (s->at - g->media_offset));
            ok = image_segment_read(s->image, i, s->buf, part, s->at - g->media_offset) ==
                 (ssize_t)part;
            break;
        }
        if (!ok)
            ranges_add(&s->lost, s->at, part);
        put(s, ok ? s->buf : s->zeros, part);
    }
}

/* A chunk whose checksum differs is lost as a whole: which of its bytes are wrong, nobody knows. */
static void
put_damaged(struct salvage *s, size_t n)
{
    if (image_info(s->image)->format == IMAGE_RAW) {
        put_raw_sectors(s, n);
        return;
    }
    ranges_add(&s->lost, s->at, n);
    while (n > 0) {
        size_t part = n < PART ? n : PART;

        put(s, s->zeros, part);
        n -= part;
    }
}

static void
put_gap(struct salvage *s, uint64_t to, const atomic_bool *stop)
{
    if (to <= s->at)
        return;
    ranges_add(&s->lost, s->at, to - s->at);
    put_zeros(s, to - s->at, stop);
}

static void
put_block(struct salvage *s, const struct block *b, const atomic_bool *stop)
{
    size_t done = 0;

    put_gap(s, b->media_offset, stop);
    for (size_t i = 0; i < b->count && !s->failed;) {
        bool sound = b->chunks[i].state == CHUNK_OK;
        size_t n = 0;

        if (!sound) {
            n = b->chunks[i++].length;
            put_damaged(s, n);
        } else {
            while (i < b->count && b->chunks[i].state == CHUNK_OK)
                n += b->chunks[i++].length;
            put(s, b->data + done, n);
        }
        done += n;
    }
}

void
salvage_run(void *salvage, struct ring *r, const atomic_bool *stop)
{
    struct salvage *s = salvage;
    const struct block *b;

    for (uint64_t seq = 0; (b = ring_take(r, seq)) != NULL; seq++) {
        if (!s->failed)
            put_block(s, b, stop);
        ring_done(r, seq);
    }
    if (!*stop && !s->failed)
        put_gap(s, image_info(s->image)->media_size, stop);
}

/* --- afterwards ----------------------------------------------------------------------------- */

static int
close_image(struct salvage *s, struct err *err)
{
    uint64_t size = image_info(s->image)->media_size;

    if (s->failed) {
        *err = s->failure;
        return -1;
    }
    if (s->at != size)
        return err_set(err, OUTCOME_INTERRUPTED, "salvaging was interrupted");
    digest_final_hex(s->md5, s->md5_hex);
    digest_final_hex(s->sha256, s->sha256_hex);
    if (ftruncate(s->raw, (off_t)size) != 0 || fsync(s->raw) != 0)
        return err_errno(err, "cannot write '%s.raw'", s->dest);
    return 0;
}

/* What was written must come back from the medium. */
static int
read_back(struct salvage *s, struct err *err)
{
    char hex[DIGEST_HEX_MAX];
    uint64_t at = 0;
    ssize_t n;

    (void)posix_fadvise(s->raw, 0, 0, POSIX_FADV_DONTNEED);
    while ((n = pread(s->raw, s->buf, PART, (off_t)at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot read '%s.raw' back", s->dest);
        digest_update(s->sha256, s->buf, (size_t)n);
        at += (uint64_t)n;
    }
    digest_final_hex(s->sha256, hex);
    if (!digest_hex_equal(hex, s->sha256_hex))
        return err_set(err, OUTCOME_MISMATCH,
                       "'%s.raw' does not read back as it was written: it must not be used",
                       s->dest);
    return 0;
}

static int
write_paper(const struct salvage *s, const char *suffix, const char *text, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s%s", s->name, suffix);

    return outfile_write(s->partial, name, text, strlen(text), false, err);
}

static void
add_all(struct ranges *to, const struct ranges *from)
{
    for (size_t i = 0; i < from->n; i++)
        ranges_add(to, from->v[i].offset, from->v[i].length);
}

static int
write_papers(struct salvage *s, const struct salvage_origin *origin, struct err *err)
{
    const struct image_info *info = image_info(s->image);
    AUTO_FREE char *md5 = xasprintf("%s  %s.raw\n", s->md5_hex, s->name);
    AUTO_FREE char *sha256 = xasprintf("%s  %s.raw\n", s->sha256_hex, s->name);
    char now[CLOCK_TEXT_MAX];
    struct ranges bad = {0};
    struct salvage_facts facts = {
        .name = s->name,
        .path = s->dest,
        .info = info,
        .bad = &bad,
        .lost = &s->lost,
        .unreadable = s->unreadable,
        .md5 = s->md5_hex,
        .sha256 = s->sha256_hex,
        .started = s->started,
        .finished = clock_text(clock_now(), now),
    };
    AUTO_FREE char *map = NULL;
    AUTO_FREE char *manifest = NULL;
    json_t *root;
    int r;

    add_all(&bad, s->unreadable);
    add_all(&bad, &s->lost);
    map = mapfile_text(info->media_size, &bad, origin->command_line);
    root = salvage_manifest(&facts, origin);
    manifest = json_to_text(root);
    json_decref(root);
    ranges_free(&bad);
    r = map ? write_paper(s, ".map", map, err)
            : err_set(err, OUTCOME_FAILED, "not enough memory for the mapfile");
    if (r == 0)
        r = write_paper(s, ".md5", md5, err);
    if (r == 0)
        r = write_paper(s, ".sha256", sha256, err);
    return r == 0 ? write_paper(s, MANIFEST_SUFFIX, manifest, err) : -1;
}

static int
publish(struct salvage *s, struct err *err)
{
    AUTO_FREE char *dir = xasprintf("%s.partial", s->name);

    for (size_t i = 0; i < N_NAMES; i++) {
        AUTO_FREE char *name = xasprintf("%s%s", s->name, names[i]);
        struct err ignored = ERR_INIT;

        if (outfile_move(s->partial, name, s->parent, name, err) == 0)
            continue;
        while (i-- > 0) {
            AUTO_FREE char *back = xasprintf("%s%s", s->name, names[i]);

            (void)outfile_move(s->parent, back, s->partial, back, &ignored);
        }
        return err_context(err, "cannot publish '%s'", s->dest);
    }
    s->published = true;
    (void)unlinkat(s->parent, dir, AT_REMOVEDIR);
    return outfile_sync_dir(s->parent, err);
}

int
salvage_finish(struct salvage *s, const struct salvage_origin *origin, struct err *err)
{
    if (close_image(s, err) != 0 || read_back(s, err) != 0 || write_papers(s, origin, err) != 0)
        return -1;
    return publish(s, err);
}

const char *
salvage_dest(const struct salvage *s)
{
    return s->dest;
}

const struct ranges *
salvage_lost(const struct salvage *s)
{
    return &s->lost;
}

static void
take_away(const struct salvage *s)
{
    AUTO_FREE char *dir = xasprintf("%s.partial", s->name);

    if (s->published || s->partial < 0)
        return;
    for (size_t i = 0; i < N_NAMES; i++) {
        AUTO_FREE char *name = xasprintf("%s%s", s->name, names[i]);

        (void)unlinkat(s->partial, name, 0);
    }
    (void)unlinkat(s->parent, dir, AT_REMOVEDIR);
}

void
salvage_free(struct salvage *s)
{
    if (!s)
        return;
    take_away(s);
    if (s->raw >= 0)
        (void)close(s->raw);
    if (s->partial >= 0)
        (void)close(s->partial);
    if (s->parent >= 0)
        (void)close(s->parent);
    ranges_free(&s->lost);
    digest_free(s->md5);
    digest_free(s->sha256);
    free(s->zeros);
    free(s->buf);
    free(s);
}
