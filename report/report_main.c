/*
 * exhibit-report: explains an image to people (HTML) and programs (JSON).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/options.h"
#include "common/outfile.h"
#include "common/sandbox.h"
#include "common/size.h"
#include "common/text.h"
#include "report/facts.h"
#include "report/step_down.h"
#include "report/survey.h"
#include "report/writer.h"

/* A second for a disk without heads, and one of the lesser parts of what a report costs elsewhere.
 */
#define TRUST_MAX 64
#define EXAMINE_DEFAULT (UINT64_C(512) << 20)

enum {
    OPT_FORMAT = 1,
    OPT_OUTPUT_DIR,
    OPT_REPLACE,
    OPT_DOCUMENTS,
    OPT_CONFIG,
    OPT_TEMPLATE_DIR,
    OPT_CA_FILE,
    OPT_CA_PATH,
    OPT_DEADLINE,
    OPT_EXAMINE,
    OPT_NO_SANDBOX,
    OPT_JSON,
    OPT_PROGRESS,
    OPT_QUIET,
};

static const struct option_spec option_table[] = {
    {"format", 0, "LIST", OPT_FORMAT,
     "the outputs, of html, pdf, json, text, dfxml and case\n(html,json)"},
    {"output-dir", 0, "DIR", OPT_OUTPUT_DIR, "where the report goes (beside the image)"},
    {"replace", 0, NULL, OPT_REPLACE, "overwrite an earlier report of the same name"},
    {"documents", 0, "LIST", OPT_DOCUMENTS,
     "what html, pdf and text hold, of report, custody and\ncertificate (all three)"},
    {"config", 0, "FILE", OPT_CONFIG,
     "the laboratory's name, address and logo\n(" STATIONERY_DEFAULT ", if it is there)"},
    {"template-dir", 0, "DIR", OPT_TEMPLATE_DIR,
     "texts to use in place of the built-in ones:\nreport.txt, custody.txt, certificate.txt"},
    {"ca-file", 0, "FILE", OPT_CA_FILE,
     "trust signatures and time stamps that lead to one of\nthese certificates (PEM)"},
    {"ca-path", 0, "DIR", OPT_CA_PATH, "the same, from a directory by hash, as OpenSSL's"},
    {"deadline", 0, "SECONDS", OPT_DEADLINE,
     "stop taking a volume apart after this long\n(600, and a second for each 2 GiB)"},
    {"examine", 0, "SIZE", OPT_EXAMINE,
     "read so much of each volume's free space, and of each gap\nand volume slack; of larger ones, "
     "pieces spread evenly;\n0: nothing, all: everything (512M)"},
    {"no-sandbox", 0, NULL, OPT_NO_SANDBOX,
     "parse the disk also where no sandbox can be had;\nthe report says so"},
    {"json", 0, NULL, OPT_JSON, "print the report's JSON on stdout as well"},
    {"progress", 0, "MODE", OPT_PROGRESS, "auto, bar, json or none (auto)"},
    {"quiet", 'q', NULL, OPT_QUIET, "print nothing but errors"},
};

static const struct program program = {
    .name = "exhibit report",
    .usage = "IMAGE [options]",
    .summary = "Explains an image: case, hashes, partitions, file systems, slack. IMAGE is\n"
               "DEST.manifest.json or the first segment of any E01 or raw image.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

struct settings {
    const char *image;
    const char *output_dir; /* NULL: beside the image */
    const char *config;     /* NULL: the default one */
    const char *template_dir;
    unsigned formats;
    unsigned documents;
    const char *ca_files[TRUST_MAX], *ca_paths[TRUST_MAX];
    struct trust_spec authorities;
    struct trust *trust;
    bool replace;
    bool no_sandbox;
    bool json;
    bool quiet;
    uint64_t deadline;
    uint64_t examine_max; /* bytes */
    enum progress_mode progress;
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

static int
take_option(struct settings *s, int id, const char *arg, struct err *err)
{
    switch (id) {
    case OPT_FORMAT:
        return writers_parse(arg, &s->formats, err);
    case OPT_OUTPUT_DIR:
        s->output_dir = arg;
        return 0;
    case OPT_REPLACE:
        s->replace = true;
        return 0;
    case OPT_DOCUMENTS:
        return documents_parse(arg, &s->documents, err);
    case OPT_CONFIG:
        s->config = arg;
        return 0;
    case OPT_TEMPLATE_DIR:
        s->template_dir = arg;
        return 0;
    case OPT_CA_FILE:
        return option_list_add(
            (struct option_list){s->ca_files, &s->authorities.n_ca_files, TRUST_MAX, "ca-file"},
            arg, err);
    case OPT_CA_PATH:
        return option_list_add(
            (struct option_list){s->ca_paths, &s->authorities.n_ca_paths, TRUST_MAX, "ca-path"},
            arg, err);
    case OPT_DEADLINE:
        return number_parse(arg, 1, 1000000, "--deadline", &s->deadline, err);
    case OPT_EXAMINE:
        if (strcmp(arg, "all") == 0) {
            s->examine_max = INT64_MAX;
            return 0;
        }
        return size_parse(arg, 0, "--examine", &s->examine_max, err);
    case OPT_NO_SANDBOX:
        s->no_sandbox = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case OPT_PROGRESS:
        return progress_parse(arg, &s->progress, err);
    default:
        s->quiet = true;
        return 0;
    }
}

static int
read_settings(struct settings *s, int argc, char **argv, struct err *err)
{
    struct options *options = options_new(&program, argc, argv);
    const char *arg;
    char **operands;
    int n;
    int id;

    while ((id = options_next(options, &arg, err)) > 0) {
        if (take_option(s, id, arg, err) != 0)
            break;
    }
    operands = options_operands(options, &n);
    options_free(options);
    if (id != 0)
        return -1;
    if (n != 1)
        return err_set(err, OUTCOME_USAGE, "%s; see 'exhibit report --help'",
                       n == 0 ? "no image was named" : "more than one image was named");
    s->image = operands[0];
    return 0;
}

static int
open_output_dir(const struct settings *s, struct err *err)
{
    const char *base;
    int fd;

    if (!s->output_dir)
        return path_open_parent(s->image, &base, err);
    fd = open(s->output_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fd : err_errno(err, "cannot open the output directory '%s'", s->output_dir);
}

/* Before the work rather than after it; outfile_write() checks once more. */
static int
check_free(const struct settings *s, int dir, const char *name, struct err *err)
{
    for (size_t i = 0; i < n_writers; i++) {
        AUTO_FREE char *file = xasprintf("%s%s", name, writers[i].suffix);
        struct stat st;

        if ((s->formats >> i & 1) == 0 || fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (!s->replace)
            return err_set(err, OUTCOME_REFUSED,
                           "'%s' exists already; give --replace, or another --output-dir", file);
        if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
            return err_set(err, OUTCOME_REFUSED, "'%s' exists and is no regular file", file);
    }
    return 0;
}

static void
say_where(const struct settings *s, const char *file)
{
    AUTO_FREE char *path = s->output_dir ? xasprintf("%s/%s", s->output_dir, file) : xstrdup(file);
    AUTO_FREE char *printable = text_printable(path);

    if (!s->quiet)
        (void)fprintf(s->json ? stderr : stdout, "wrote %s\n", printable);
}

/* One output. A writer that fails is told in *failed and leaves the others their turn; -1 where it
   is the directory that fails. */
static int
write_file(const struct settings *s, int dir, const struct report *r, const struct paper *p,
           const struct writer *w, struct err *failed, struct err *err)
{
    AUTO_FREE char *file = xasprintf("%s%s", r->name, w->suffix);
    struct err why = ERR_INIT;
    size_t n = 0;
    AUTO_FREE char *data = w->write(r, p, &n, &why);

    if (data) {
        if (outfile_write(dir, file, data, n, s->replace, err) != 0)
            return -1;
        say_where(s, file);
        return 0;
    }
    (void)err_context(&why, "'%s' was not written", file);
    if (why.outcome == OUTCOME_INTERRUPTED) {
        *err = why;
        return -1;
    }
    *failed = why;
    return 0;
}

static int
write_files(const struct settings *s, int dir, const struct report *r, const struct paper *p,
            struct err *err)
{
    struct err failed = ERR_INIT;

    if (interrupted)
        return err_set(err, OUTCOME_INTERRUPTED, "interrupted; no report was written");
    for (size_t i = 0; i < n_writers; i++) {
        if ((s->formats >> i & 1) != 0 && write_file(s, dir, r, p, &writers[i], &failed, err) != 0)
            return -1;
    }
    if (*failed.text == '\0')
        return 0;
    *err = failed;
    return -1;
}

static void
say_findings(const struct settings *s, const struct report *r)
{
    FILE *out = s->json ? stderr : stdout;

    for (size_t i = 0; i < r->n_findings && !s->quiet; i++) {
        AUTO_FREE char *subject =
            text_printable(r->findings[i].subject ? r->findings[i].subject : "image");
        AUTO_FREE char *text = text_printable(r->findings[i].text);

        (void)fprintf(out, "finding: %s: %s\n", subject, text);
    }
}

/* What standard output does not take, console_end() says. */
static void
print_json(const struct settings *s, const struct report *r, const struct paper *p, struct err *err)
{
    AUTO_FREE char *text = NULL;
    size_t n;

    if (!s->json)
        return;
    text = write_json(r, p, &n, err);
    (void)fputs(text, stdout);
}

/* Before anything of the image is parsed. Also for the programs that it starts, of which the one
   for PDF wants room for temporary files. */
static int
confine(const struct settings *s, int dir, struct err *err)
{
    const char *given = getenv("TMPDIR");
    AUTO_FD int temporary =
        writers_need_temporary(s->formats)
            ? open(given && *given ? given : "/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC)
            : -1;
    const int dirs[] = {dir, temporary};
    const struct sandbox_spec spec = {
        .write_dirs = dirs, .n_write_dirs = temporary >= 0 ? 2 : 1, .allow_dirs = temporary >= 0};
    struct sandbox_state state;

    if (sandbox_confine(&spec, s->no_sandbox, &state, err) != 0)
        return err_context(err, "no sandbox; '--no-sandbox' goes on without");
    if (*state.missing)
        (void)fprintf(stderr, "exhibit: going on without a full sandbox: %s\n", state.missing);
    return 0;
}

/* The whole of it, once the stationery is there. */
static int
make_report(const struct settings *s, const struct paper *paper, struct err *err)
{
    AUTO_FD int dir = open_output_dir(s, err);
    AUTO_FREE char *name = facts_name(s->image);
    struct report *r =
        dir >= 0 && step_down(s->image, name, dir, err) == 0 && confine(s, dir, err) == 0
            ? facts_gather(s->image, s->trust, err)
            : NULL;
    struct survey_options options = {
        .lenient = s->no_sandbox,
        .deadline = (uint32_t)s->deadline,
        .examine_max = s->examine_max,
        .stop = &interrupted,
    };
    int result = -1;

    if (!r)
        return -1;
    options.image = r->image_path;
    options.manifest = r->manifest_path;
    if (check_free(s, dir, name, err) == 0) {
        options.progress = s->quiet ? NULL : progress_new(s->progress);
        result = survey(r, &options, err);
        progress_free(options.progress);
    }
    if (result == 0)
        result = write_files(s, dir, r, paper, err);
    if (result == 0) {
        say_findings(s, r);
        print_json(s, r, paper, err);
    }
    if (result == 0 && r->n_findings > 0)
        result = OUTCOME_FINDINGS;
    report_free(r);
    return result;
}

static int
run(struct settings *s, struct err *err)
{
    struct stationery *stationery = stationery_load(s->config, s->template_dir, err);
    int result = -1;

    s->authorities.ca_files = s->ca_files;
    s->authorities.ca_paths = s->ca_paths;
    s->trust = stationery ? trust_new(&s->authorities, err) : NULL;
    if (s->trust)
        result = make_report(s, &(struct paper){stationery, s->documents, &interrupted}, err);
    trust_free(s->trust);
    stationery_free(stationery);
    return result;
}

int
main(int argc, char **argv)
{
    struct settings settings = {
        .progress = PROGRESS_AUTO,
        .formats = writers_default(),
        .documents = ~0u,
        .examine_max = EXAMINE_DEFAULT,
    };
    struct err err = ERR_INIT;
    int result;

    console_begin();
    if (read_settings(&settings, argc, argv, &err) != 0)
        return err_report(&err);
    console_catch(on_signal);
    result = run(&settings, &err);
    return console_end(result < 0 ? err_report(&err) : result);
}
