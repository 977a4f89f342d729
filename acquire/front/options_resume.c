/*
 * The options of a job that goes on: those that it was begun with, and what may differ.
 */
#include <string.h>

#include "acquire/front/options_acquire.h"
#include "acquire/front/options_impl.h"
#include "common/text.h"

static bool
given(const struct acquire_options *o, int id)
{
    return (o->given >> id & 1) != 0;
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
is_one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

static bool
all_in(const char *const *list, size_t n, const char *const *all, size_t n_all)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_one_of(list[i], all, n_all))
            return false;
    }
    return true;
}

static bool
same_hashes(const struct acquire_options *a, const struct acquire_options *b)
{
    if (a->n_hashes != b->n_hashes)
        return false;
    for (size_t i = 0; i < a->n_hashes; i++) {
        if (strcmp(a->hashes[i], b->hashes[i]) != 0)
            return false;
    }
    return true;
}

/* Whether an option that was given again says what it said, or may say something else. */
static bool
agrees(struct acquire_options *now, struct acquire_options *then, int id)
{
    const char **text = acquire_text_option(now, id);

    if (text && id != ID_SEGMENT_DIR)
        return same_text(*text, *acquire_text_option(then, id));
    switch (id) {
    case ID_FORMAT:
        return now->e01 == then->e01;
    case ID_COMPRESSION:
        return now->compression == then->compression;
    case ID_HASH:
        return same_hashes(now, then);
    case ID_META:
        return all_in(now->meta, now->n_meta, then->meta, then->n_meta);
    case ID_TSA:
        return all_in(now->tsa, now->n_tsa, then->tsa, then->n_tsa);
    case ID_SECTOR_SIZE:
        return now->sector_size == then->sector_size;
    case ID_RETRIES:
        return now->retries == then->retries;
    case ID_WRITE_BLOCK:
        return now->write_block == then->write_block;
    case ID_NO_VERIFY:
        return !then->verify;
    case ID_RELEASE:
        return then->release;
    case ID_RESCUE:
        return then->rescue;
    case ID_ALLOW_NO_SANDBOX:
        return then->lenient_sandbox;
    default:
        return true; /* how the job is run, not what it makes */
    }
}

/* What may differ is as it was given now. */
static void
take_over(struct acquire_options *now, const struct acquire_options *then)
{
    struct acquire_options o = *then;

    o.source = now->source;
    o.dest = now->dest;
    o.resume = true;
    o.segment_dir = now->segment_dir;
    o.low_space = now->low_space || then->low_space;
    o.quiet = now->quiet;
    o.json = now->json;
    o.progress = now->progress;
    o.threads = now->threads;
    o.given = now->given;
    if (given(now, ID_READ_TIMEOUT))
        o.read_timeout = now->read_timeout;
    if (given(now, ID_SCSI_TIMEOUT))
        o.scsi_timeout = now->scsi_timeout;
    if (given(now, ID_MAX_TEMPERATURE))
        o.max_temperature = now->max_temperature;
    if (now->signer.key)
        o.signer = now->signer;
    *now = o;
}

/* A path as it was meant in another directory. It lives as long as the program. */
static void
make_absolute(const char **path, const char *cwd)
{
    if (*path && **path != '/')
        *path = xasprintf("%s/%s", cwd, *path);
}

int
acquire_options_resume(struct acquire_options *o, int argc, char **argv, const char *cwd,
                       struct err *err)
{
    struct acquire_options then;

    if (acquire_options_parse(argc, argv, &then, err) != 0)
        return err_context(err, "the journal's command line");
    for (int id = 1; id < 64; id++) {
        if (given(o, id) && !agrees(o, &then, id))
            return err_set(err, OUTCOME_USAGE,
                           "'--%s' conflicts with how the job was begun; leave it out, a job is "
                           "continued with its own options",
                           acquire_option_name(id));
    }
    make_absolute(&then.copy, cwd);
    /* A URI of a key store is no path. */
    if (then.signer.key && !strchr(then.signer.key, ':'))
        make_absolute(&then.signer.key, cwd);
    make_absolute(&then.signer.cert, cwd);
    make_absolute(&then.signer.passphrase_file, cwd);
    take_over(o, &then);
    return 0;
}
