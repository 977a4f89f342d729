/*
 * exhibit-copy: copies an image with everything beside it to another place, and checks the copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/console.h"
#include "common/custody.h"
#include "common/json.h"
#include "common/options.h"
#include "common/requester.h"
#include "common/sandbox.h"
#include "common/size.h"
#include "common/text.h"
#include "verify/copy.h"

enum {
    OPT_JSON = 1,
    OPT_PROGRESS,
    OPT_QUIET,
};

static const struct option_spec option_table[] = {
    {"json", 0, NULL, OPT_JSON, "print what was done as JSON on stdout"},
    {"progress", 0, "MODE", OPT_PROGRESS, "auto, bar, json or none (auto)"},
    {"quiet", 'q', NULL, OPT_QUIET, "print nothing but errors"},
};

static const struct program program = {
    .name = "exhibit copy",
    .usage = "IMAGE DEST [options]",
    .summary = "Copies an image with everything beside it to another place, reads the copy back "
               "from\nits medium, and records it there. DEST is a directory, or the image's name "
               "in one.\nA copy that was interrupted goes on when the command is given again.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

struct settings {
    enum progress_mode progress;
    bool json;
    bool quiet;
};

static atomic_bool stop;

static void
on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static int
parse(struct options *o, struct settings *s, struct err *err)
{
    const char *arg;
    int id;

    while ((id = options_next(o, &arg, err)) > 0) {
        if (id == OPT_JSON)
            s->json = true;
        else if (id == OPT_QUIET)
            s->quiet = true;
        else if (progress_parse(arg, &s->progress, err) != 0)
            return -1;
    }
    if (id == 0 && s->quiet && s->progress == PROGRESS_AUTO)
        s->progress = PROGRESS_NONE;
    return id;
}

/* --- privileges ----------------------------------------------------------------------------- */

/* Tried by a child that has become the user. */
static bool
can_read_all(const struct privilege *as, const struct copy *c)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        bool ok = privilege_drop(as) == 0;

        for (size_t i = 0; ok && i < c->n; i++)
            ok = faccessat(c->dirs[c->files[i].dir], c->files[i].name, R_OK, AT_EACCESS) == 0;
        _exit(ok ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* As whoever asked, if they can read all of the image and write to the destination; the copy is
   theirs then. Otherwise root's rights are needed. */
static int
step_down(const struct requester *who, const struct copy *c, struct err *err)
{
    struct privilege as;

    if (c->made && getuid() == 0 && who->uid != 0 && chown(c->to_path, who->uid, who->gid) != 0)
        return err_errno(err, "cannot give '%s' to its user", c->to_path);
    requester_writer(who, &c->to, 1, &as);
    if ((getuid() == 0 && as.uid == 0) || !can_read_all(&as, c))
        return 0;
    return privilege_drop(&as) == 0 ? 0 : err_errno(err, "cannot give up privileges");
}

static void
enter_sandbox(const struct copy *c)
{
    const struct sandbox_spec spec = {
        .write_dirs = &c->to,
        .n_write_dirs = 1,
        .read_dirs = c->dirs,
        .n_read_dirs = c->n_dirs,
    };
    struct sandbox_state state;
    struct err err = ERR_INIT;

    (void)digest_hex_length("sha256"); /* OpenSSL reads its configuration */
    if (sandbox_enter(&spec, true, &state, &err) != 0 || *state.missing)
        (void)fprintf(stderr, "exhibit: copying without a full sandbox: %s\n",
                      *state.missing ? state.missing : err.text);
}

/* --- the whole ------------------------------------------------------------------------------ */

/* Named by what follows anyway. */
static bool
is_said(const struct copy *c, const struct image_info *info, const char *path)
{
    for (size_t i = 0; i < info->n_segments; i++) {
        if (!info->segments[i].present && strcmp(info->segments[i].path, path) == 0)
            return true;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->files[i].differs && strcmp(c->files[i].path, path) == 0)
            return true;
    }
    return false;
}

/* What opening the image showed: a segment that is cut off, two that changed places. */
static size_t
print_image_findings(const struct copy *c, const struct image_info *info)
{
    size_t n = 0;

    for (size_t i = 0; i < info->n_findings; i++) {
        const struct image_finding *f = &info->findings[i];
        AUTO_FREE char *segment = text_printable(f->segment ? f->segment : c->base);
        AUTO_FREE char *text = text_printable(f->text);

        if (f->remark || (f->segment && is_said(c, info, f->segment)))
            continue;
        (void)fprintf(stderr, "exhibit: '%s': %s; copied as it is\n", segment, text);
        n++;
    }
    return n;
}

/* What is wrong with the image itself was copied as it is, and is said. */
static size_t
print_findings(const struct copy *c, const struct image_location *location,
               const struct image_info *info)
{
    size_t n = print_image_findings(c, info);

    if (location->problem) {
        AUTO_FREE char *problem = text_printable(location->problem);

        (void)fprintf(stderr, "exhibit: the manifest beside the image cannot be used: %s\n",
                      problem);
        n++;
    }
    for (size_t i = 0; i < info->n_segments; i++) {
        AUTO_FREE char *path = text_printable(info->segments[i].path);

        if (info->segments[i].present)
            continue;
        (void)fprintf(stderr, "exhibit: '%s' is missing, so it is missing in the copy too\n", path);
        n++;
    }
    for (size_t i = 0; i < c->n; i++) {
        AUTO_FREE char *path = text_printable(c->files[i].path);

        if (!c->files[i].differs)
            continue;
        (void)fprintf(
            stderr, "exhibit: '%s' is not what the manifest says; it was copied as it is\n", path);
        n++;
    }
    return n;
}

static void
print_result(const struct copy *c, const struct settings *s, const struct copy_record *r)
{
    size_t kept = 0;
    char size[SIZE_TEXT_MAX];
    AUTO_FREE char *to = text_printable(c->to_path);

    if (s->json) {
        json_t *o = copy_record_json(c, r);
        AUTO_FREE char *text = json_to_text(o);

        json_decref(o);
        (void)fputs(text, stdout);
        return;
    }
    for (size_t i = 0; i < c->n; i++)
        kept += c->files[i].state == COPY_KEPT ? 1 : 0;
    if (!s->quiet)
        (void)printf("copied to '%s': %zu files, %s (%" PRIu64
                     " bytes), %zu of them there already; all read back the same\n",
                     to, c->n, size_human(c->bytes, size), c->bytes, kept);
}

/* The copy's ledger says that it is one. `event` was made before the sandbox, which hides who
   asked. A copy that was there already is no event. */
static int
note_in_ledger(const struct copy *c, json_t *event, struct err *err)
{
    AUTO_FREE char *dest = xasprintf("%s%s%s", c->to_path, *c->to_path ? "/" : "", c->base);
    AUTO_FREE char *manifest = xasprintf("%s%s", dest, MANIFEST_SUFFIX);
    struct custody custody;
    char time[CLOCK_TEXT_MAX];
    bool new = false;
    int r;

    for (size_t i = 0; i < c->n; i++)
        new = new || c->files[i].state != COPY_KEPT;
    if (!new || access(manifest, F_OK) != 0) {
        json_decref(event);
        return 0;
    }
    json_set_text(event, "time", clock_text(clock_now(), time));
    json_set_text(event, "original", c->n_dirs > 0 && *c->dir_names[0] ? c->dir_names[0] : ".");
    json_set_text(event, "place", c->to_path);
    r = custody_open(&custody, dest, err);
    if (r == 0)
        r = custody_record(&custody, event, NULL, NULL, err);
    else
        json_decref(event);
    custody_close(&custody);
    return r == 0 ? 0 : err_context(err, "the copy is whole, but its ledger does not say so");
}

/* The outcome, or -1 with the error. */
static int
copy_image(const struct settings *s, struct copy *c, char **operands,
           const struct image_location *location, struct err *err)
{
    struct image_options options = {.manifest = location->manifest};
    struct image *img = image_open(location->path, &options, err);
    AUTO_FREE char *line = xasprintf("exhibit copy %s %s", operands[0], operands[1]);
    struct requester who;
    struct copy_record record = {
        .operand = operands[0],
        .command_line = line,
        .location = location,
        .user = who.name,
    };
    json_t *event;
    int r = -1;

    if (!img)
        return -1;
    requester_find(&who);
    event = ledger_event("copied");
    record.uid = who.uid;
    record.info = image_info(img);
    if (copy_plan(c, location, record.info, operands[1], err) == 0 &&
        step_down(&who, c, err) == 0) {
        enter_sandbox(c);
        c->progress = progress_new(s->progress);
        r = copy_run(c, err);
        progress_free(c->progress);
    }
    if (r == 0)
        r = copy_record(c, &record, err);
    if (r == 0)
        r = note_in_ledger(c, json_incref(event), err);
    json_decref(event);
    if (r == 0) {
        print_result(c, s, &record);
        r = print_findings(c, location, record.info) > 0 ? OUTCOME_FINDINGS : OUTCOME_DONE;
    }
    image_free(img);
    return r;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct copy c = {.to = -1, .stop = &stop};
    struct image_location location = {0};
    struct settings s = {0};
    struct err err = ERR_INIT;
    char **operands;
    int count;
    int r;

    console_begin();
    r = parse(o, &s, &err);
    operands = options_operands(o, &count);
    if (r == 0 && count != 2)
        r = err_set(&err, OUTCOME_USAGE,
                    "an IMAGE and a DEST are needed; see 'exhibit copy --help'");
    if (r == 0) {
        console_catch(on_signal);
        r = image_locate(operands[0], &location, &err);
    }
    if (r == 0)
        r = copy_image(&s, &c, operands, &location, &err);
    copy_free(&c);
    image_location_free(&location);
    options_free(o);
    return console_end(r < 0 ? err_report(&err) : r);
}
