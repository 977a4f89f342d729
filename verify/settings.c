#include "verify/settings.h"

#include <unistd.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "common/size.h"
#include "common/text.h"

#define THREADS_MAX 256

enum {
    OPT_JSON = 1,
    OPT_PROGRESS,
    OPT_QUIET,
    OPT_THREADS,
    OPT_FROM_MEDIUM,
    OPT_REQUIRE,
    OPT_HASH,
    OPT_HASHES,
    OPT_AGAINST,
    OPT_SALVAGE,
    OPT_CA_FILE,
    OPT_CA_PATH,
    OPT_CRL_FILE,
    OPT_LEDGER_HEAD,
    OPT_RECORD,
};

static const struct option_spec option_table[] = {
    {"json", 0, NULL, OPT_JSON, "print the result as JSON on stdout"},
    {"require", 0, "LIST", OPT_REQUIRE,
     "checks that must have been made, such as media-hash;\none that was not run has failed"},
    {"hash", 0, "LIST", OPT_HASH,
     "hashes of the media to compute besides md5, sha256\nand those that there is something to "
     "compare with"},
    {"hashes", 0, "FILE", OPT_HASHES,
     "a log or checksum file of another tool to compare\nwith, besides those beside the image; may "
     "be repeated"},
    {"against", 0, "SOURCE", OPT_AGAINST,
     "compare the image with the device that it was taken\nfrom, held and write-protected as for "
     "an acquisition;\nor with a file"},
    {"salvage", 0, "DEST", OPT_SALVAGE,
     "write what can be read of a damaged image to DEST.raw,\nwith DEST.map and "
     "DEST.manifest.json"},
    {"ca-file", 0, "FILE", OPT_CA_FILE,
     "trust signatures and time stamps that lead to one of\nthese certificates (PEM)"},
    {"ca-path", 0, "DIR", OPT_CA_PATH, "the same, from a directory by hash, as OpenSSL's"},
    {"crl-file", 0, "FILE", OPT_CRL_FILE, "certificates that were revoked since"},
    {"ledger-head", 0, "HASH", OPT_LEDGER_HEAD,
     "a head of the ledger that was noted elsewhere\n('exhibit custody head')"},
    {"record", 0, NULL, OPT_RECORD, "add the result to the image's ledger"},
    {"from-medium", 0, NULL, OPT_FROM_MEDIUM,
     "take the segments out of the page cache first, so\nthat the medium itself is read"},
    {"threads", 0, "N", OPT_THREADS, "threads that read chunks (the number of cores)"},
    {"progress", 0, "MODE", OPT_PROGRESS, "auto, bar, json or none (auto)"},
    {"quiet", 'q', NULL, OPT_QUIET, "print the verdict alone"},
};

static const struct program program = {
    .name = "exhibit verify",
    .usage = "IMAGE… [options]",
    .summary = "Checks images: their segments, structure, chunks and hashes. IMAGE is a manifest\n"
               "(NAME.manifest.json) or the first segment of an E01 or raw image.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

/* Calls `take` for each item of a comma-separated list. */
static int
for_each_item(const char *list, int (*take)(struct settings *, const char *, struct err *),
              struct settings *s, struct err *err)
{
    for (;;) {
        size_t n = strcspn(list, ",");
        AUTO_FREE char *item = xstrndup(list, n);

        if (take(s, item, err) != 0)
            return -1;
        if (list[n] == '\0')
            return 0;
        list += n + 1;
    }
}

static int
take_require(struct settings *s, const char *item, struct err *err)
{
    int id = check_by_name(item);

    if (id < 0)
        return err_set(err, OUTCOME_USAGE, "option '--require': no check is called '%s'", item);
    s->job.require[id] = true;
    return 0;
}

static int
take_hash(struct settings *s, const char *item, struct err *err)
{
    if (s->job.n_hashes == SCAN_HASHES_MAX - 2)
        return err_set(err, OUTCOME_USAGE, "option '--hash': more than %d hashes",
                       SCAN_HASHES_MAX - 2);
    if (digest_canonical(item, s->job.hashes[s->job.n_hashes], err) != 0)
        return -1;
    s->job.n_hashes++;
    return 0;
}

static int
take_option(struct settings *s, int id, const char *arg, struct err *err)
{
    uint64_t n = 0;

    switch (id) {
    case OPT_JSON:
        s->json = true;
        return 0;
    case OPT_QUIET:
        s->quiet = true;
        return 0;
    case OPT_FROM_MEDIUM:
        s->job.from_medium = true;
        return 0;
    case OPT_PROGRESS:
        return progress_parse(arg, &s->progress, err);
    case OPT_THREADS:
        if (number_parse(arg, 1, THREADS_MAX, "option '--threads'", &n, err) != 0)
            return -1;
        s->job.threads = (size_t)n;
        return 0;
    case OPT_REQUIRE:
        return for_each_item(arg, take_require, s, err);
    case OPT_HASHES:
        if (s->job.n_logs == EVIDENCE_LOGS_MAX)
            return err_set(err, OUTCOME_USAGE, "option '--hashes': more than %d files",
                           EVIDENCE_LOGS_MAX);
        s->logs[s->job.n_logs++] = arg;
        return 0;
    case OPT_AGAINST:
        s->against = arg;
        return 0;
    case OPT_CA_FILE:
        return option_list_add(
            (struct option_list){s->ca_files, &s->trust.n_ca_files, TRUST_FILES_MAX, "ca-file"},
            arg, err);
    case OPT_CA_PATH:
        return option_list_add(
            (struct option_list){s->ca_paths, &s->trust.n_ca_paths, TRUST_FILES_MAX, "ca-path"},
            arg, err);
    case OPT_CRL_FILE:
        return option_list_add(
            (struct option_list){s->crl_files, &s->trust.n_crl_files, TRUST_FILES_MAX, "crl-file"},
            arg, err);
    case OPT_LEDGER_HEAD:
        if (strlen(arg) != LEDGER_HASH_MAX - 1 || strspn(arg, "0123456789abcdefABCDEF") != 64)
            return err_set(err, OUTCOME_USAGE, "option '--ledger-head': '%s' is no SHA-256", arg);
        s->job.ledger_head = arg;
        return 0;
    case OPT_RECORD:
        s->record = true;
        return 0;
    case OPT_SALVAGE:
        s->salvage = arg;
        return 0;
    default:
        return for_each_item(arg, take_hash, s, err);
    }
}

static int
parse(struct options *o, struct settings *s, struct err *err)
{
    const char *arg;
    int id;

    while ((id = options_next(o, &arg, err)) > 0) {
        if (take_option(s, id, arg, err) != 0)
            return -1;
    }
    return id;
}

/* --against and --salvage are of one image. */
static int
check_count(const struct settings *s, int n, struct err *err)
{
    if (n < 1 || n > IMAGES_MAX)
        return err_set(err, OUTCOME_USAGE, "%s; see 'exhibit verify --help'",
                       n < 1 ? "no image is named" : "too many images are named");
    if (n > 1 && (s->against || s->salvage))
        return err_set(err, OUTCOME_USAGE, "option '%s' takes one image, %d are named",
                       s->against ? "--against" : "--salvage", n);
    return 0;
}

int
settings_read(int argc, char **argv, struct settings *s, struct options **options, char ***images,
              size_t *n_images, struct err *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n;

    *options = options_new(&program, argc, argv);
    s->job.threads = cores < 1 ? 1 : cores < THREADS_MAX ? (size_t)cores : THREADS_MAX;
    s->job.logs = s->logs;
    s->trust.ca_files = s->ca_files;
    s->trust.ca_paths = s->ca_paths;
    s->trust.crl_files = s->crl_files;
    if (parse(*options, s, err) != 0)
        return -1;
    *images = options_operands(*options, &n);
    if (check_count(s, n, err) != 0)
        return -1;
    *n_images = (size_t)n;
    if (s->quiet && s->progress == PROGRESS_AUTO)
        s->progress = PROGRESS_NONE;
    return 0;
}
