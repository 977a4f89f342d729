#include "acquire/front/options_acquire.h"

#include <sched.h>
#include <unistd.h>

#include "acquire/front/options_impl.h"
#include "acquire/front/watch.h"
#include "common/cleanup.h"
#include "common/options.h"
#include "common/signing_options.h"
#include "common/size.h"
#include "common/supervisor_proto.h"
#include "common/text.h"

/* Of each text that goes into the manifest, the log and the E01. */
#define TEXT_MAX 8192

static const struct option_spec specs[] = {
    {"format", 0, "e01|raw", ID_FORMAT, "image format (default: e01)"},
    {"segment-size", 0, "SIZE", ID_SEGMENT_SIZE,
     "upper bound of each file (default: 2G for e01,\none file for raw)"},
    {"compression", 0, "none|empty|fast|best", ID_COMPRESSION,
     "of an e01: nothing, only chunks of zeros, quickly,\nor as small as can be (default: fast)"},
    {"hash", 0, "LIST", ID_HASH,
     "hashes of the media, any that OpenSSL has\n(default: md5,sha256)"},
    {"piecewise", 0, "SIZE", ID_PIECEWISE, "also hash each piece of that size"},
    {"case", 0, "TEXT", ID_CASE, "case number"},
    {"evidence", 0, "TEXT", ID_EVIDENCE, "evidence (exhibit) number"},
    {"description", 0, "TEXT", ID_DESCRIPTION, "what the item is"},
    {"examiner", 0, "TEXT", ID_EXAMINER, "who acquires it"},
    {"notes", 0, "TEXT", ID_NOTES, "notes"},
    {"meta", 0, "KEY=VALUE", ID_META,
     "a further fact (seal number, authority, location);\nmay be given several times"},
    {"sector-size", 0, "N", ID_SECTOR_SIZE,
     "logical sector size of a source that is a file\n"
     "(default: 512)"},
    {"offset", 0, "N", ID_OFFSET, "begin at this byte of the source"},
    {"length", 0, "N", ID_LENGTH, "image this many bytes"},
    {"retries", 0, "N", ID_RETRIES, "further attempts at an unreadable sector (default: 1)"},
    {"read-timeout", 0, "SECONDS", ID_READ_TIMEOUT,
     "end the job, resumable, when a read has not come\nback after so long (default: 300; 0: "
     "never)"},
    {"scsi-timeout", 0, "SECONDS", ID_SCSI_TIMEOUT,
     "let the kernel wait so long for each command to\nthe disk while the job runs"},
    {"max-temperature", 0, "C", ID_MAX_TEMPERATURE,
     "pause while the drive is hotter, until it is 5\ndegrees below"},
    {"copy", 0, "DEST2", ID_COPY, "write a second image in the same pass"},
    {"write-block", 0, "LEVEL", ID_WRITE_BLOCK,
     "auto, bpf-lsm, read-only-flag, hardware or none\n(default: auto, the best there is)"},
    {"hardware-blocker", 0, "TEXT", ID_HARDWARE_BLOCKER,
     "make, model and serial number of the write blocker\n(with --write-block hardware)"},
    {"expect-serial", 0, "S", ID_EXPECT_SERIAL, "refuse a device with another serial number"},
    {"no-verify", 0, NULL, ID_NO_VERIFY, "do not read the image back"},
    {"release", 0, NULL, ID_RELEASE, "lift the write block when the job is done"},
    {"allow-low-space", 0, NULL, ID_ALLOW_LOW_SPACE, "start although the image might not fit"},
    {"allow-no-sandbox", 0, NULL, ID_ALLOW_NO_SANDBOX,
     "go on where the kernel offers no full sandbox;\nthe manifest says so"},
    {"threads", 0, "N", ID_THREADS, "compressing threads (default: one a core)"},
    {"resume", 0, NULL, ID_RESUME, "continue an interrupted job; its options are known"},
    {"rescue", 0, NULL, ID_RESCUE,
     "for a failing drive: read what is easily had first,\ncome back to the damage, image it then"},
    {"rescue-image", 0, "FILE", ID_RESCUE_IMAGE,
     "with --rescue: go on from what ddrescue has rescued\ninto this file, ..."},
    {"rescue-map", 0, "FILE", ID_RESCUE_MAP, "... and this is its mapfile"},
    {"segment-dir", 0, "DIR", ID_SEGMENT_DIR, "with --resume: write what is still to come there"},
    SIGNING_OPTIONS,
    {"tsa", 0, "URL", ID_TSA,
     "have it time-stamped by this authority (RFC 3161);\ngiven again: the next one where this "
     "fails"},
    {"progress", 0, "auto|bar|json|none", ID_PROGRESS, "how to show progress (default: auto)"},
    {"quiet", 'q', NULL, ID_QUIET, "say nothing but errors"},
    {"json", 0, NULL, ID_JSON, "print the manifest on standard output"},
};

static const struct program program = {
    .name = "exhibit acquire",
    .usage = "SOURCE DEST [options]",
    .summary = "Images the disk or file SOURCE into DEST.E01 (or DEST.raw, DEST.001 ...), write-\n"
               "protects it, hashes it, reads the image back, and writes DEST.manifest.json,\n"
               "DEST.log, DEST.map, DEST.md5 and DEST.sha256. DEST has no extension.\n"
               "Sizes are bytes, or take K M G T (1024), KB MB GB TB (1000) or s (sectors).",
    .options = specs,
    .n_options = sizeof specs / sizeof specs[0],
};

const struct option_spec *
acquire_option_table(size_t *n)
{
    *n = sizeof specs / sizeof specs[0];
    return specs;
}

/* The place of word in a NULL-terminated list, or -1 with an error that lists them. */
static int
choose(const char *word, const char *const names[], const char *what, struct err *err)
{
    char all[128] = "";

    for (int i = 0; names[i]; i++) {
        size_t n = strlen(all);

        if (strcmp(word, names[i]) == 0)
            return i;
        (void)snprintf(all + n, sizeof all - n, "%s%s", n ? ", " : "", names[i]);
    }
    return err_set(err, OUTCOME_USAGE, "invalid %s '%s': one of %s", what, word, all);
}

static int
parse_hashes(struct acquire_options *o, const char *list, struct err *err)
{
    AUTO_FREE char *copy = xstrdup(list);
    char *rest = copy;
    char *word;

    o->n_hashes = 0;
    while ((word = strsep(&rest, ",")) != NULL) {
        char name[DIGEST_NAME_MAX];
        bool known = false;

        if (digest_canonical(word, name, err) != 0)
            return -1;
        for (size_t i = 0; i < o->n_hashes; i++)
            known = known || strcmp(o->hashes[i], name) == 0;
        if (known)
            continue;
        if (o->n_hashes == JOB_HASHES_MAX)
            return err_set(err, OUTCOME_USAGE, "more than %d hashes", JOB_HASHES_MAX);
        memcpy(o->hashes[o->n_hashes++], name, sizeof name);
    }
    return 0;
}

static int
parse_meta(struct acquire_options *o, const char *arg, struct err *err)
{
    const char *equals = strchr(arg, '=');

    if (!equals || equals == arg)
        return err_set(err, OUTCOME_USAGE, "'%s' for --meta is not KEY=VALUE", arg);
    for (size_t i = 0; i < o->n_meta; i++) {
        if (strncmp(o->meta[i], arg, (size_t)(equals - arg) + 1) == 0)
            return err_set(err, OUTCOME_USAGE, "--meta '%.*s' is given twice", (int)(equals - arg),
                           arg);
    }
    if (!text_is_utf8(arg, (size_t)(equals - arg)))
        return err_set(err, OUTCOME_USAGE, "the key of --meta '%s' is not UTF-8", arg);
    if (o->n_meta == META_MAX)
        return err_set(err, OUTCOME_USAGE, "more than %d times --meta", META_MAX);
    o->meta[o->n_meta++] = arg;
    return 0;
}

static int
parse_sector_size(struct acquire_options *o, const char *arg, struct err *err)
{
    uint64_t n;

    if (number_parse(arg, 512, 32768, "--sector-size", &n, err) != 0)
        return -1;
    if ((n & (n - 1)) != 0)
        return err_set(err, OUTCOME_USAGE, "sector size %s is not a power of two", arg);
    o->sector_size = (uint32_t)n;
    return 0;
}

static int
parse_count(const char *arg, uint64_t min, uint64_t max, const char *what, unsigned *out,
            struct err *err)
{
    uint64_t n;

    if (number_parse(arg, min, max, what, &n, err) != 0)
        return -1;
    *out = (unsigned)n;
    return 0;
}

static int
parse_choice(struct acquire_options *o, int id, const char *arg, struct err *err)
{
    static const char *const formats[] = {"raw", "e01", NULL};
    static const char *const compressions[] = {"none", "empty", "fast", "best", NULL};
    static const char *const levels[] = {"auto",     "bpf-lsm", "read-only-flag",
                                         "hardware", "none",    NULL};
    int i;

    switch (id) {
    case ID_FORMAT:
        i = choose(arg, formats, "format", err);
        o->e01 = i == 1;
        return i < 0 ? -1 : 0;
    case ID_COMPRESSION:
        i = choose(arg, compressions, "compression", err);
        o->compression = (enum compression)(i < 0 ? 0 : i);
        o->compression_name = arg;
        return i < 0 ? -1 : 0;
    default:
        i = choose(arg, levels, "write block level", err);
        o->write_block = (enum write_block_level)(i < 0 ? 0 : i);
        return i < 0 ? -1 : 0;
    }
}

const char **
acquire_text_option(struct acquire_options *o, int id)
{
    switch (id) {
    case ID_SEGMENT_SIZE:
        return &o->segment_size;
    case ID_PIECEWISE:
        return &o->piecewise;
    case ID_CASE:
        return &o->case_number;
    case ID_EVIDENCE:
        return &o->evidence_number;
    case ID_DESCRIPTION:
        return &o->description;
    case ID_EXAMINER:
        return &o->examiner;
    case ID_NOTES:
        return &o->notes;
    case ID_OFFSET:
        return &o->offset;
    case ID_LENGTH:
        return &o->length;
    case ID_COPY:
        return &o->copy;
    case ID_HARDWARE_BLOCKER:
        return &o->hardware_blocker;
    case ID_EXPECT_SERIAL:
        return &o->expect_serial;
    case ID_SEGMENT_DIR:
        return &o->segment_dir;
    case ID_RESCUE_IMAGE:
        return &o->rescue_image;
    case ID_RESCUE_MAP:
        return &o->rescue_map;
    default:
        return NULL;
    }
}

static bool *
flag_option(struct acquire_options *o, int id)
{
    switch (id) {
    case ID_RELEASE:
        return &o->release;
    case ID_ALLOW_LOW_SPACE:
        return &o->low_space;
    case ID_ALLOW_NO_SANDBOX:
        return &o->lenient_sandbox;
    case ID_RESUME:
        return &o->resume;
    case ID_RESCUE:
        return &o->rescue;
    case ID_QUIET:
        return &o->quiet;
    case ID_JSON:
        return &o->json;
    default:
        return NULL;
    }
}

const char *
acquire_option_name(int id)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        if (specs[i].id == id)
            return specs[i].name;
    }
    return "";
}

static int
take(struct acquire_options *o, int id, const char *arg, struct err *err)
{
    const char **text = acquire_text_option(o, id);
    bool *flag = flag_option(o, id);
    int signing = signing_option(&o->signer, id, arg, err);

    if (id < 64)
        o->given |= UINT64_C(1) << id;
    if (signing != 0)
        return signing < 0 ? -1 : 0;
    if ((text || id == ID_META) && strlen(arg) > TEXT_MAX)
        return err_set(err, OUTCOME_USAGE, "the argument of '--%s' is longer than %d bytes",
                       acquire_option_name(id), TEXT_MAX);
    if (text) {
        *text = arg;
        return 0;
    }
    if (flag) {
        *flag = true;
        return 0;
    }
    switch (id) {
    case ID_NO_VERIFY:
        o->verify = false;
        return 0;
    case ID_HASH:
        return parse_hashes(o, arg, err);
    case ID_META:
        return parse_meta(o, arg, err);
    case ID_SECTOR_SIZE:
        return parse_sector_size(o, arg, err);
    case ID_RETRIES:
        return parse_count(arg, 0, 1000, "--retries", &o->retries, err);
    case ID_READ_TIMEOUT:
        return parse_count(arg, 0, 86400, "--read-timeout", &o->read_timeout, err);
    case ID_SCSI_TIMEOUT:
        return parse_count(arg, 1, SUPERVISOR_TIMEOUT_MAX, "--scsi-timeout", &o->scsi_timeout, err);
    case ID_MAX_TEMPERATURE:
        return parse_count(arg, 20, 120, "--max-temperature", &o->max_temperature, err);
    case ID_THREADS:
        return parse_count(arg, 1, 64, "--threads", &o->threads, err);
    case ID_PROGRESS:
        return progress_parse(arg, &o->progress, err);
    case ID_TSA:
        if (signing_check_tsa(arg, err) != 0)
            return -1;
        if (o->n_tsa == TSA_MAX)
            return err_set(err, OUTCOME_USAGE, "more than %d times --tsa", TSA_MAX);
        o->tsa[o->n_tsa++] = arg;
        return 0;
    default:
        return parse_choice(o, id, arg, err);
    }
}

static int
check_conflicts(const struct acquire_options *o, struct err *err)
{
    if (o->hardware_blocker && o->write_block != WRITE_BLOCK_HARDWARE)
        return err_set(err, OUTCOME_USAGE, "--hardware-blocker goes with '--write-block hardware'");
    if (o->write_block == WRITE_BLOCK_HARDWARE && (!o->hardware_blocker || !*o->hardware_blocker))
        return err_set(err, OUTCOME_USAGE,
                       "'--write-block hardware' needs --hardware-blocker with "
                       "the blocker's make, model and serial number");
    if (signing_check(&o->signer, err) != 0)
        return -1;
    if (o->segment_dir && !o->resume)
        return err_set(err, OUTCOME_USAGE, "--segment-dir goes with --resume");
    if (!o->rescue_image != !o->rescue_map || (o->rescue_map && !o->rescue))
        return err_set(err, OUTCOME_USAGE,
                       "--rescue-image and --rescue-map go together, with "
                       "--rescue");
    if (!o->e01 && o->compression_name && o->compression != COMPRESSION_NONE)
        return err_set(err, OUTCOME_USAGE,
                       "--compression is for e01; raw images hold the bytes "
                       "as they are");
    return 0;
}

static unsigned
cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > 16 ? 16 : (unsigned)n;
}

int
acquire_options_parse(int argc, char **argv, struct acquire_options *o, struct err *err)
{
    struct options *run = options_new(&program, argc, argv);
    const char *arg;
    char **operands;
    int count = 0;
    int id;

    *o = (struct acquire_options){
        .e01 = true,
        .compression = COMPRESSION_FAST,
        .retries = 1,
        .read_timeout = WATCH_TIMEOUT_DEFAULT_S,
        .threads = cores(),
        .verify = true,
        .signer = SIGNER_SPEC_NONE,
        .argc = argc,
        .argv = xcalloc((size_t)argc + 1, sizeof *argv),
    };
    /* getopt moves the operands to the end; the command line is kept as it was typed. */
    memcpy(o->argv, argv, (size_t)argc * sizeof *argv);
    (void)parse_hashes(o, "md5,sha256", err);
    while ((id = options_next(run, &arg, err)) > 0) {
        if (take(o, id, arg, err) != 0) {
            id = -1;
            break;
        }
    }
    operands = options_operands(run, &count);
    o->source = count > 0 ? operands[0] : NULL;
    o->dest = count > 1 ? operands[1] : NULL;
    options_free(run);
    if (id < 0)
        return -1;
    if (count != 2)
        return err_set(err, OUTCOME_USAGE, "%s; see 'exhibit acquire --help'",
                       count < 2 ? "SOURCE and DEST are needed" : "too many arguments");
    if (check_conflicts(o, err) != 0)
        return -1;
    if (!o->e01)
        o->compression = COMPRESSION_NONE;
    return 0;
}
