/*
 * exhibit-seal: signs a finished image and has it time-stamped.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/seal.h"
#include "common/signing_options.h"
#include "common/size.h"
#include "common/text.h"

#define TIMEOUT_DEFAULT 30
#define FILES_MAX 64
#define NAMES_MAX ((size_t)64 << 10)

enum {
    OPT_TSA = 1,
    OPT_TSA_POLICY,
    OPT_TIMEOUT,
    OPT_CA_FILE,
    OPT_CA_PATH,
    OPT_REQUEST,
    OPT_RESPONSE,
    OPT_WAIT_FD,
    OPT_QUIET,
};

static const struct option_spec option_table[] = {
    SIGNING_OPTIONS,
    {"tsa", 0, "URL", OPT_TSA,
     "have it time-stamped by this authority (RFC 3161);\ngiven again: the next one where this "
     "fails"},
    {"tsa-policy", 0, "OID", OPT_TSA_POLICY, "ask for this policy of the authority"},
    {"timeout", 0, "SECONDS", OPT_TIMEOUT, "wait so long for each authority (default: 30)"},
    {"ca-file", 0, "FILE", OPT_CA_FILE,
     "take a time stamp only from an authority that leads\nto one of these certificates"},
    {"ca-path", 0, "DIR", OPT_CA_PATH, "the same, from a directory by hash"},
    {"timestamp-request", 0, NULL, OPT_REQUEST,
     "write the request to a file, to be carried to an\nauthority by hand"},
    {"timestamp-response", 0, "FILE", OPT_RESPONSE, "take what the authority answered"},
    {"wait-fd", 0, "N", OPT_WAIT_FD,
     "load the key, write a byte to descriptor N, and read\nfrom it what to seal ('exhibit "
     "acquire' does so)"},
    {"quiet", 'q', NULL, OPT_QUIET, "say nothing of what was done"},
};

static const struct program program = {
    .name = "exhibit seal",
    .usage = "DEST… [options]",
    .summary = "Signs the manifest of a finished image, has it time-stamped, and records both in\n"
               "its ledger. DEST is as 'exhibit acquire' took it, or the manifest. A signature\n"
               "beside one that is there already goes into a file of its own.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

struct settings {
    struct signer_spec signer;
    struct seal_tsa tsa;
    const char *ca_files[FILES_MAX];
    const char *ca_paths[FILES_MAX];
    struct trust_spec trust;
    bool request;
    const char *response;
    int wait_fd;
    bool quiet;
};

static int
take_option(struct settings *s, int id, const char *arg, struct err *err)
{
    uint64_t n = 0;
    int r = signing_option(&s->signer, id, arg, err);

    if (r != 0)
        return r < 0 ? -1 : 0;
    switch (id) {
    case OPT_TSA:
        if (signing_check_tsa(arg, err) != 0)
            return -1;
        return option_list_add(
            (struct option_list){s->tsa.urls, &s->tsa.n_urls, SEAL_TSA_MAX, "tsa"}, arg, err);
    case OPT_TSA_POLICY:
        s->tsa.policy = arg;
        return 0;
    case OPT_TIMEOUT:
        if (number_parse(arg, 1, 3600, "option '--timeout'", &n, err) != 0)
            return -1;
        s->tsa.timeout = (unsigned)n;
        return 0;
    case OPT_CA_FILE:
        return option_list_add(
            (struct option_list){s->ca_files, &s->trust.n_ca_files, FILES_MAX, "ca-file"}, arg,
            err);
    case OPT_CA_PATH:
        return option_list_add(
            (struct option_list){s->ca_paths, &s->trust.n_ca_paths, FILES_MAX, "ca-path"}, arg,
            err);
    case OPT_REQUEST:
        s->request = true;
        return 0;
    case OPT_RESPONSE:
        s->response = arg;
        return 0;
    case OPT_WAIT_FD:
        if (number_parse(arg, 0, INT16_MAX, "option '--wait-fd'", &n, err) != 0)
            return -1;
        s->wait_fd = (int)n;
        return 0;
    default:
        s->quiet = true;
        return 0;
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
    s->trust.ca_files = s->ca_files;
    s->trust.ca_paths = s->ca_paths;
    if (id != 0 || signing_check(&s->signer, err) != 0)
        return -1;
    if ((s->request ? 1 : 0) + (s->response ? 1 : 0) + (s->tsa.n_urls > 0 ? 1 : 0) > 1)
        return err_set(err, OUTCOME_USAGE,
                       "a time stamp comes over the network or by hand, not both");
    if (!s->signer.key && !s->request && !s->response && s->tsa.n_urls == 0)
        return err_set(err, OUTCOME_USAGE,
                       "neither a key nor an authority is named; see 'exhibit seal --help'");
    return 0;
}

/* The one who started this learns that the key is good, and then says what to seal: paths, each
   with its NUL, up to the end of the stream. */
static int
read_names(int fd, char **text, size_t *n, struct err *err)
{
    char byte = 'r';

    if (write(fd, &byte, 1) != 1)
        return err_errno(err, "cannot write to descriptor %d", fd);
    *text = xcalloc(NAMES_MAX + 1, 1);
    while (*n < NAMES_MAX) {
        ssize_t r = read(fd, *text + *n, NAMES_MAX - *n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        *n += (size_t)r;
    }
    return 0;
}

static void
say(const struct settings *s, const char *what, const char *file)
{
    AUTO_FREE char *safe = text_printable(file);

    if (!s->quiet)
        (void)printf("%s '%s'\n", what, safe);
}

static int
sign(const struct settings *s, const struct custody *c, const struct signer *by, struct err *err)
{
    AUTO_FREE char *file = NULL;
    const char *caveat;

    if (!by)
        return 0;
    if (seal_sign(c, by, &file, err) != 0)
        return -1;
    say(s, "signed:", file);
    caveat = signer_caveat(by);
    if (caveat)
        (void)fprintf(stderr, "exhibit: note: %s\n", caveat);
    return 0;
}

static int
stamp(const struct settings *s, const struct custody *c, struct err *err)
{
    AUTO_FREE char *file = NULL;

    if (s->request) {
        if (seal_write_request(c, s->tsa.policy, &file, err) != 0)
            return -1;
        say(s, "request written:", file);
    } else if (s->response || s->tsa.n_urls > 0) {
        if ((s->response ? seal_take_response(c, s->response, s->tsa.trust, &file, err)
                         : seal_timestamp(c, &s->tsa, &file, err)) != 0)
            return -1;
        say(s, "time-stamped:", file);
    }
    return 0;
}

static int
seal(const struct settings *s, const char *dest, const struct signer *by, struct err *err)
{
    struct custody c;
    int r = custody_open(&c, dest, err);

    if (r == 0)
        r = sign(s, &c, by, err) == 0 ? stamp(s, &c, err) : -1;
    custody_close(&c);
    return r;
}

/* Each is sealed whatever became of the others; the outcome is that of the last that failed. */
static enum outcome
seal_each(const struct settings *s, char **dests, size_t n, const struct signer *by)
{
    enum outcome outcome = OUTCOME_DONE;

    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_INIT;

        if (seal(s, dests[i], by, &err) != 0)
            outcome = (enum outcome)err_report(&err);
    }
    return outcome;
}

static enum outcome
seal_announced(const struct settings *s, const struct signer *by)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *text = NULL;
    enum outcome outcome = OUTCOME_DONE;
    size_t n = 0;

    if (read_names(s->wait_fd, &text, &n, &err) != 0)
        return (enum outcome)err_report(&err);
    for (size_t at = 0; at < n; at += strlen(text + at) + 1) {
        char *name = text + at;
        enum outcome this = seal_each(s, &name, 1, by);

        outcome = this != OUTCOME_DONE ? this : outcome;
    }
    return outcome;
}

/* Whoever waits for the key tells people why there is none, in one line. */
static enum outcome
refuse(const struct settings *s, const struct err *err)
{
    if (s->wait_fd < 0)
        return (enum outcome)err_report(err);
    (void)dprintf(s->wait_fd, "e%s", err->text);
    return err->outcome;
}

static enum outcome
run(struct settings *s, char **dests, size_t n)
{
    struct err err = ERR_INIT;
    struct trust *trust = trust_new(&s->trust, &err);
    struct signer *by = trust && s->signer.key ? signer_load(&s->signer, &err) : NULL;
    enum outcome outcome;

    s->tsa.trust = trust;
    if (!trust || (s->signer.key && !by))
        outcome = refuse(s, &err);
    else
        outcome = s->wait_fd >= 0 ? seal_announced(s, by) : seal_each(s, dests, n, by);
    signer_free(by);
    trust_free(trust);
    return outcome;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct settings s = {.signer = SIGNER_SPEC_NONE, .tsa.timeout = TIMEOUT_DEFAULT, .wait_fd = -1};
    struct err err = ERR_INIT;
    enum outcome outcome;
    char **dests;
    int n;
    int r;

    console_begin();
    (void)signal(SIGPIPE, SIG_IGN);
    r = parse(o, &s, &err);
    dests = options_operands(o, &n);
    if (r == 0 && (n > 0) == (s.wait_fd >= 0))
        r = err_set(&err, OUTCOME_USAGE, "DEST is needed; see 'exhibit seal --help'");
    outcome = r == 0 ? run(&s, dests, (size_t)n) : (enum outcome)err_report(&err);
    options_free(o);
    return console_end((int)outcome);
}
