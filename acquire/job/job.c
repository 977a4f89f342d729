#include "acquire/job/job.h"

#include "acquire/worker/pipeline.h"
#include "common/json.h"
#include "common/text.h"

/* Each field once: its name, its place and its kind. */
enum kind {
    KIND_TEXT,
    KIND_U64,
    KIND_U32,
    KIND_BOOL,
};

#define FIELD(kind, name)                                                                          \
    {                                                                                              \
        kind, #name, offsetof(struct job, name)                                                    \
    }

static const struct field {
    enum kind kind;
    const char *name;
    size_t offset;
} fields[] = {
    FIELD(KIND_TEXT, name),
    FIELD(KIND_TEXT, copy_name),
    FIELD(KIND_U64, offset),
    FIELD(KIND_U64, length),
    FIELD(KIND_U32, sector_size),
    FIELD(KIND_BOOL, e01),
    FIELD(KIND_U32, sectors_per_chunk),
    FIELD(KIND_U64, segment_size),
    FIELD(KIND_U32, compression),
    FIELD(KIND_U64, piecewise),
    FIELD(KIND_U32, retries),
    FIELD(KIND_BOOL, rescue),
    FIELD(KIND_U32, staging_dir),
    FIELD(KIND_U32, threads),
    FIELD(KIND_BOOL, lenient),
    FIELD(KIND_BOOL, physical),
    FIELD(KIND_BOOL, removable),
    FIELD(KIND_U64, date),
    FIELD(KIND_TEXT, case_number),
    FIELD(KIND_TEXT, evidence_number),
    FIELD(KIND_TEXT, description),
    FIELD(KIND_TEXT, examiner),
    FIELD(KIND_TEXT, notes),
    FIELD(KIND_TEXT, model),
    FIELD(KIND_TEXT, serial),
};

#define N_FIELDS (sizeof fields / sizeof fields[0])

_Static_assert(sizeof(enum compression) == sizeof(uint32_t), "an enum travels as a uint32_t");
_Static_assert(sizeof(int64_t) == sizeof(uint64_t), "a date travels as a uint64_t");

json_t *
job_to_json(const struct job *job)
{
    json_t *v = json_object();
    json_t *hashes = json_array();

    json_set_text(v, "type", "job");
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *at = (const char *)job + fields[i].offset;

        switch (fields[i].kind) {
        case KIND_TEXT:
            json_set_text(v, fields[i].name, *(char *const *)at ? *(char *const *)at : "");
            break;
        case KIND_U64:
            json_set_u64(v, fields[i].name, *(const uint64_t *)at);
            break;
        case KIND_U32:
            json_set_u64(v, fields[i].name, *(const uint32_t *)at);
            break;
        case KIND_BOOL:
            json_set_bool(v, fields[i].name, *(const bool *)at);
            break;
        }
    }
    for (size_t i = 0; i < job->n_hashes; i++)
        (void)json_array_append_new(hashes, json_string(job->hashes[i]));
    (void)json_object_set_new(v, "hashes", hashes);
    return v;
}

static int
read_field(const json_t *v, const struct field *f, char *at, struct err *err)
{
    uint64_t n = 0;

    if (f->kind == KIND_TEXT) {
        *(char **)at = json_get_bytes(v, f->name);
        return *(char **)at ? 0 : err_set(err, OUTCOME_FAILED, "field '%s' is missing", f->name);
    }
    if (f->kind == KIND_BOOL) {
        *(bool *)at = json_is_true(json_object_get(v, f->name));
        return 0;
    }
    if (json_get_u64(v, f->name, &n, err) != 0)
        return -1;
    if (f->kind == KIND_U64)
        *(uint64_t *)at = n;
    else if (n <= UINT32_MAX)
        *(uint32_t *)at = (uint32_t)n;
    else
        return err_set(err, OUTCOME_FAILED, "field '%s' is too large", f->name);
    return 0;
}

/* Blocks are cut into chunks one by one, so that no chunk may lie in two of them. */
static bool
chunks_fit(const struct job *job)
{
    uint64_t chunk = (uint64_t)job->sectors_per_chunk * job->sector_size;

    return chunk > 0 && PIPELINE_BLOCK_SIZE % chunk == 0;
}

/* What the pipeline's arithmetic relies on. */
static int
check(const struct job *job, struct err *err)
{
    bool ok = job->length > 0 && job->sector_size >= 512 && job->sector_size <= 32768 &&
              (job->sector_size & (job->sector_size - 1)) == 0 &&
              job->offset <= INT64_MAX - job->length && job->compression <= COMPRESSION_BEST &&
              job->threads >= 1 && job->threads <= 64 && job->name[0] && !strchr(job->name, '/') &&
              !strchr(job->copy_name, '/') &&
              (!job->e01 || (chunks_fit(job) && job->segment_size > 0));

    return ok ? 0 : err_set(err, OUTCOME_FAILED, "the job's description does not hold together");
}

int
job_from_json(const json_t *v, struct job *job, struct err *err)
{
    const json_t *hashes = json_object_get(v, "hashes");
    const json_t *h;
    size_t i;

    *job = (struct job){0};
    for (size_t f = 0; f < N_FIELDS; f++) {
        if (read_field(v, &fields[f], (char *)job + fields[f].offset, err) != 0)
            return -1;
    }
    json_array_foreach(hashes, i, h)
    {
        if (!json_is_string(h) || job->n_hashes == JOB_HASHES_MAX)
            return err_set(err, OUTCOME_FAILED, "the job's hashes do not hold together");
        job->hashes[job->n_hashes++] = xstrdup(json_string_value(h));
    }
    return check(job, err);
}

void
job_clear(struct job *job)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (fields[i].kind == KIND_TEXT)
            free(*(char **)((char *)job + fields[i].offset));
    }
    for (size_t i = 0; i < job->n_hashes; i++)
        free(job->hashes[i]);
    *job = (struct job){0};
}
