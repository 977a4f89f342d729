#include "verify/scan.h"

#include <errno.h>
#include <pthread.h>

#include "common/text.h"
#include "common/thread.h"
#include "verify/damage.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define RING_BYTES ((size_t)32 << 20)
#define WORKERS_BYTES ((size_t)96 << 20) /* for the workers' own buffers */
#define LANES_MAX (2 * SCAN_HASHES_MAX + SCAN_PIECES_MAX)
#define FINDINGS_MAX 1000

struct scan {
    const struct scan_spec *spec;
    struct scan_result *out;
    struct ring *ring;
    struct lane *lanes[LANES_MAX];
    size_t n_lanes;
    bool hold;            /* what is read of the segment files is hashed as well */
    pthread_mutex_t lock; /* over the damage in *out */
};

/* A worker or lane, as its thread is given it. */
struct seat {
    struct scan *scan;
    struct lane *lane; /* of a lane */
    const struct scan_consumer *consumer;
    struct image_scratch *scratch; /* of a worker */
    pthread_t thread;
};

bool
scan_pieces_in_order(const struct manifest_piece *v, size_t n)
{
    uint64_t end = 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i].offset < end || v[i].length > UINT64_MAX - v[i].offset)
            return false;
        end = v[i].offset + v[i].length;
    }
    return true;
}

/* --- threads -------------------------------------------------------------------------------- */

static void
fill_block(struct scan *s, struct image_scratch *scratch, struct block *b)
{
    const struct image_info *info = image_info(s->spec->image);

    b->media_offset = b->first * info->chunk_size;
    b->length = 0;
    b->missing = false;
    b->segment = 0;
    b->file_end = 0;
    image_read_chunks(s->spec->image, scratch, b->first, b->count, b->data, b->chunks);
    if (s->hold)
        image_scratch_exchange(scratch, &b->held);
    for (size_t i = 0; i < b->count; i++) {
        const struct chunk *c = &b->chunks[i];

        b->length += c->length;
        if (c->state != CHUNK_OK) {
            (void)pthread_mutex_lock(&s->lock);
            damage_chunk(s->out, info, b->first + i, c);
            (void)pthread_mutex_unlock(&s->lock);
        }
        if (c->state == CHUNK_MISSING) {
            b->missing = true;
        } else if (c->segment >= b->segment) {
            b->segment = c->segment;
            b->file_end = c->file_offset + c->file_length;
        }
    }
}

static void *
worker_main(void *arg)
{
    struct seat *seat = arg;
    struct scan *s = seat->scan;
    uint64_t gap_first;
    uint64_t gap_count;

    /* A lane must take every block, this thread any: what is left of the cores is for these. */
    thread_give_way();
    for (;;) {
        struct block *b = ring_claim(s->ring, &gap_first, &gap_count);

        if (gap_count > 0) {
            (void)pthread_mutex_lock(&s->lock);
            damage_gap(s->out, image_info(s->spec->image), gap_first, gap_count);
            (void)pthread_mutex_unlock(&s->lock);
        }
        if (!b)
            return NULL;
        fill_block(s, seat->scratch, b);
        ring_filled(s->ring, b);
    }
}

static void *
lane_main(void *arg)
{
    struct seat *seat = arg;

    lane_run(seat->lane, seat->scan->ring, seat->scan->spec->stop);
    return NULL;
}

static void *
consumer_main(void *arg)
{
    struct seat *seat = arg;

    seat->consumer->run(seat->consumer->self, seat->scan->ring, seat->scan->spec->stop);
    return NULL;
}

/* Runs in the one thread that checks tables, until it is joined. */
static void
on_table_finding(void *arg, const struct image_finding *f)
{
    struct scan_result *out = arg;
    struct image_finding *copy;

    if (out->n_findings == FINDINGS_MAX)
        return;
    out->findings = xrealloc(out->findings, out->n_findings + 1, sizeof *out->findings);
    copy = &out->findings[out->n_findings++];
    *copy = *f;
    copy->segment = f->segment ? xstrdup(f->segment) : NULL;
    copy->text = xstrdup(f->text);
}

static void *
tables_main(void *arg)
{
    struct scan *s = arg;

    image_check_tables(s->spec->image, s->spec->stop, on_table_finding, s->out);
    return NULL;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int
add_lane(struct scan *s, struct lane *l)
{
    if (!l)
        return -1;
    s->lanes[s->n_lanes++] = l;
    return 0;
}

static bool
is_listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The media of a raw image is its files' bytes, as long as none is missing or of another size. */
static bool
media_is_files(const struct scan_spec *spec)
{
    const struct image_info *info = image_info(spec->image);

    return info->format == IMAGE_RAW && info->n_findings == 0;
}

static struct lane *
media_lane(const struct scan_spec *spec, const char *hash, struct err *err)
{
    bool of_files = is_listed(spec->file_hashes, spec->n_file_hashes, hash);

    return of_files && media_is_files(spec) ? lane_new_media_raw(hash, spec->image, err)
                                            : lane_new_media(hash, err);
}

static int
make_media_lanes(struct scan *s, struct err *err)
{
    const struct scan_spec *spec = s->spec;
    struct scan_result *out = s->out;

    for (size_t i = 0; i < spec->n_hashes; i++) {
        out->media[i] = media_lane(spec, spec->hashes[i], err);
        if (add_lane(s, out->media[i]) != 0)
            return -1;
        out->n_media++;
    }
    return 0;
}

/* The segment files' hashes: by the lanes of the media, or by lanes of their own. */
static int
make_file_lanes(struct scan *s, struct err *err)
{
    const struct scan_spec *spec = s->spec;
    struct scan_result *out = s->out;

    for (size_t i = 0; i < spec->n_file_hashes; i++) {
        const char *name = spec->file_hashes[i];

        out->n_files++;
        for (size_t k = 0; media_is_files(spec) && k < out->n_media; k++) {
            if (strcmp(spec->hashes[k], name) == 0)
                out->file_lanes[i] = out->media[k];
        }
        if (out->file_lanes[i])
            continue;
        out->file_lanes[i] = out->files[i] = lane_new_files(name, spec->image, err);
        if (add_lane(s, out->files[i]) != 0)
            return -1;
        /* Not where a chunk is large: each block would hold that much besides. */
        s->hold = image_info(spec->image)->chunk_size <= BLOCK_BYTES;
    }
    return 0;
}

/* A lane that another takes along needs no thread. */
static void
join_lanes(struct scan *s)
{
    for (size_t i = 0; i < s->n_lanes; i++) {
        for (size_t k = 0; k < s->n_lanes; k++) {
            if (!lane_join(s->lanes[i], s->lanes[k]))
                continue;
            s->n_lanes--;
            for (size_t m = k; m < s->n_lanes; m++)
                s->lanes[m] = s->lanes[m + 1];
            i -= k < i;
            break;
        }
    }
}

static int
make_lanes(struct scan *s, struct err *err)
{
    const struct scan_spec *spec = s->spec;
    struct scan_result *out = s->out;

    if (make_media_lanes(s, err) != 0 || make_file_lanes(s, err) != 0)
        return -1;
    for (size_t i = 0; i < spec->n_pieces; i++) {
        const struct scan_pieces *p = &spec->pieces[i];

        out->piece_sets[i] = p->v;
        out->pieces[i] = lane_new_pieces(p->hash, p->v, p->n, err);
        if (add_lane(s, out->pieces[i]) != 0)
            return -1;
        out->n_pieces++;
    }
    join_lanes(s);
    return 0;
}

/* --- results -------------------------------------------------------------------------------- */

const char *
scan_media_hash(const struct scan_result *r, const char *name)
{
    for (size_t i = 0; i < r->n_media; i++) {
        if (strcmp(lane_hash_name(r->media[i]), name) == 0)
            return lane_results(r->media[i])->hex;
    }
    return NULL;
}

const struct lane_hash *
scan_file_hash(const struct scan_result *r, const char *name, size_t i)
{
    for (size_t k = 0; k < r->n_files; k++) {
        if (strcmp(lane_hash_name(r->file_lanes[k]), name) == 0)
            return &lane_file_results(r->file_lanes[k])[i];
    }
    return NULL;
}

const struct lane_hash *
scan_piece_hash(const struct scan_result *r, const struct manifest_piece *v, const char *name,
                size_t i)
{
    for (size_t k = 0; k < r->n_pieces; k++) {
        if (r->piece_sets[k] == v && strcmp(lane_hash_name(r->pieces[k]), name) == 0)
            return &lane_results(r->pieces[k])[i];
    }
    return NULL;
}

/* --- the ring and its threads --------------------------------------------------------------- */

static size_t
chunks_per_block(const struct image *img)
{
    size_t chunk = image_info(img)->chunk_size;

    return chunk < BLOCK_BYTES ? BLOCK_BYTES / chunk : 1;
}

size_t
scan_block_bytes(const struct image *img)
{
    return chunks_per_block(img) * image_info(img)->chunk_size;
}

static struct ring *
make_ring(const struct scan *s, struct err *err)
{
    size_t n = RING_BYTES / scan_block_bytes(s->spec->image);

    return ring_new(&(struct ring_spec){.image = s->spec->image,
                                        .n_blocks = n < 4 ? 4 : n,
                                        .block_chunks = chunks_per_block(s->spec->image),
                                        .n_lanes = s->n_lanes + s->spec->n_consumers},
                    err);
}

static size_t
worker_count(const struct scan_spec *spec)
{
    size_t chunk = image_info(spec->image)->chunk_size;
    size_t most = WORKERS_BYTES / (chunk + chunk / 8 + BLOCK_BYTES);

    most = most < 1 ? 1 : most;
    return spec->threads < most ? spec->threads : most;
}

static int
start(struct seat *seat, void *(*body)(void *), struct err *err)
{
    int r = pthread_create(&seat->thread, NULL, body, seat);

    if (r == 0)
        return 0;
    errno = r;
    return err_errno(err, "cannot start a thread");
}

static void
watch(const struct scan *s)
{
    const struct scan_spec *spec = s->spec;
    uint64_t size = image_info(spec->image)->media_size;
    uint64_t total = spec->progress_total > 0 ? spec->progress_total : size;
    uint64_t done = 0;
    bool over = false;

    while (!over && !*spec->stop) {
        over = ring_wait(s->ring, 100, &done);
        progress_update(spec->progress, "verify", spec->progress_before + (over ? size : done),
                        total, spec->unreadable_sectors);
    }
    if (*spec->stop)
        ring_stop(s->ring);
}

/* Starts everything, waits for its end. With an error all that was started is stopped again. */
static int
run_threads(struct scan *s, struct seat *seats, size_t n_workers, struct err *err)
{
    size_t n_takers = n_workers + s->n_lanes;
    size_t n = n_takers + s->spec->n_consumers;
    size_t started = 0;
    pthread_t tables;
    bool have_tables = pthread_create(&tables, NULL, tables_main, s) == 0;
    int r = 0;

    for (; started < n && r == 0; started++) {
        struct seat *seat = &seats[started];

        seat->scan = s;
        if (started < n_workers) {
            seat->scratch = image_scratch_new(s->spec->image, err);
            r = seat->scratch ? start(seat, worker_main, err) : -1;
        } else if (started >= n_takers) {
            seat->consumer = &s->spec->consumers[started - n_takers];
            r = start(seat, consumer_main, err);
        } else {
            seat->lane = s->lanes[started - n_workers];
            r = start(seat, lane_main, err);
        }
    }
    if (r != 0) {
        image_scratch_free(seats[--started].scratch);
        ring_stop(s->ring);
    } else {
        watch(s);
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(seats[i].thread, NULL);
        image_scratch_free(seats[i].scratch);
    }
    if (have_tables)
        (void)pthread_join(tables, NULL);
    else
        (void)tables_main(s);
    return r;
}

int
scan_run(const struct scan_spec *spec, struct scan_result *out, struct err *err)
{
    struct scan s = {.spec = spec, .out = out};
    size_t n_workers = worker_count(spec);
    struct seat *seats;
    int r = -1;

    *out = (struct scan_result){0};
    if (make_lanes(&s, err) != 0)
        return -1;
    s.ring = make_ring(&s, err);
    if (!s.ring)
        return -1;
    (void)pthread_mutex_init(&s.lock, NULL);
    seats = xcalloc(n_workers + s.n_lanes + spec->n_consumers, sizeof *seats);
    image_expect_sequential(spec->image);
    r = run_threads(&s, seats, n_workers, err);
    out->stopped = *spec->stop;
    damage_sort(out);
    free(seats);
    (void)pthread_mutex_destroy(&s.lock);
    ring_free(s.ring);
    return r;
}

void
scan_result_free(struct scan_result *r)
{
    for (size_t i = 0; i < r->n_media; i++)
        lane_free(r->media[i]);
    for (size_t i = 0; i < r->n_pieces; i++)
        lane_free(r->pieces[i]);
    for (size_t i = 0; i < r->n_files; i++)
        lane_free(r->files[i]);
    for (size_t i = 0; i < r->n_findings; i++) {
        free(r->findings[i].segment);
        free(r->findings[i].text);
    }
    free(r->findings);
    free(r->damage);
    ranges_free(&r->damaged_media);
    ranges_free(&r->missing_media);
    *r = (struct scan_result){0};
}
