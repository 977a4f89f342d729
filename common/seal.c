#include "common/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/spawn.h"
#include "common/text.h"
#include "common/timestamp.h"

#define SIGNERS_MAX 99

/* --- the signature --- */

static char *
signature_name(const struct custody *c, unsigned number)
{
    return number == 1 ? xasprintf("%s.p7s", c->manifest)
                       : xasprintf("%s.%u.p7s", c->manifest, number);
}

static bool
exists(const struct custody *c, const char *name)
{
    struct stat st;

    return fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One that does not fit the manifest any more is somebody's to explain, not to sign beside. */
static int
check_other(const struct custody *c, const char *name, const struct signer *by, struct err *err)
{
    struct signature_facts facts;
    size_t n;
    AUTO_FREE char *der = infile_read(c->dir, name, SIGNATURE_MAX, &n, err);
    int r = 0;

    if (!der)
        return -1;
    signature_check(der, n, c->text, c->size, NULL, 0, &facts);
    if (!facts.intact)
        r = err_set(err, OUTCOME_REFUSED, "the signature '%s' does not fit the manifest: %s", name,
                    facts.why);
    else if (strcmp(facts.signer, signer_name(by)) == 0)
        r = err_set(err, OUTCOME_REFUSED, "'%s' has signed already, in '%s'", facts.signer, name);
    signature_facts_clear(&facts);
    return r;
}

static char *
free_name(const struct custody *c, const struct signer *by, struct err *err)
{
    for (unsigned i = 1; i <= SIGNERS_MAX; i++) {
        char *name = signature_name(c, i);

        if (!exists(c, name))
            return name;
        if (check_other(c, name, by, err) != 0) {
            free(name);
            return NULL;
        }
        free(name);
    }
    (void)err_set(err, OUTCOME_REFUSED, "'%s' has %d signatures already", c->manifest, SIGNERS_MAX);
    return NULL;
}

/* A signature of ours that our own check refuses is not written. */
static int
check_own(const struct custody *c, const void *der, size_t n, struct err *err)
{
    struct signature_facts facts;
    int r = 0;

    signature_check(der, n, c->text, c->size, NULL, 0, &facts);
    if (!facts.intact)
        r = err_set(err, OUTCOME_FAILED, "the signature made does not verify: %s", facts.why);
    signature_facts_clear(&facts);
    return r;
}

int
seal_sign(const struct custody *c, const struct signer *by, char **file, struct err *err)
{
    AUTO_FREE uint8_t *der = NULL;
    AUTO_FREE char *name = free_name(c, by, err);
    json_t *event;
    size_t n;

    if (!name)
        return -1;
    der = signer_sign(by, c->text, c->size, &n, err);
    if (!der || check_own(c, der, n, err) != 0 ||
        outfile_write(c->dir, name, der, n, false, err) != 0)
        return -1;
    event = ledger_event("signed");
    json_set_text(event, "signer", signer_name(by));
    (void)json_object_set_new(event, "signature_file", custody_file(name, der, n));
    if (custody_record(c, event, NULL, NULL, err) != 0)
        return err_context(err, "'%s' is written, but the ledger does not say so", name);
    *file = xstrdup(name);
    return 0;
}

/* --- the time stamp --- */

/* What is stamped: the first signature, for it covers the manifest; else the manifest. */
struct stamped {
    char *name;
    char *data; /* owned only if it is a signature */
    size_t n;
    bool owned;
};

static int
choose(const struct custody *c, struct stamped *s, struct err *err)
{
    AUTO_FREE char *tsr = xasprintf("%s.tsr", c->manifest);

    if (exists(c, tsr))
        return err_set(err, OUTCOME_REFUSED, "'%s' already exists: the image has its time stamp",
                       tsr);
    s->name = signature_name(c, 1);
    s->owned = exists(c, s->name);
    if (s->owned) {
        s->data = infile_read(c->dir, s->name, SIGNATURE_MAX, &s->n, err);
        return s->data ? 0 : -1;
    }
    free(s->name);
    s->name = xstrdup(c->manifest);
    s->data = c->text;
    s->n = c->size;
    return 0;
}

static void
stamped_clear(struct stamped *s)
{
    if (s->owned)
        free(s->data);
    free(s->name);
}

static int
keep(const struct custody *c, const struct stamped *s, const void *der, size_t n,
     const struct timestamp_facts *facts, const char *url, char **file, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsr", c->manifest);
    json_t *event = ledger_event("timestamped");
    char time[CLOCK_TEXT_MAX];

    json_set_text(event, "authority", facts->authority);
    json_set_text(event, "url", url);
    json_set_text(event, "stamped", clock_text(facts->time, time));
    json_set_text(event, "serial", facts->serial);
    json_set_text(event, "of", s->name);
    (void)json_object_set_new(event, "timestamp_file", custody_file(name, der, n));
    if (outfile_write(c->dir, name, der, n, false, err) != 0) {
        json_decref(event);
        return -1;
    }
    if (custody_record(c, event, NULL, NULL, err) != 0)
        return err_context(err, "'%s' is written, but the ledger does not say so", name);
    *file = xstrdup(name);
    return 0;
}

/* The token is kept only if it answers the request, and, where authorities are named, comes from
   one of them. */
static int
check_and_keep(const struct custody *c, const struct stamped *s, const void *der, size_t n,
               const void *request, size_t request_size, const struct trust *trust, const char *url,
               char **file, struct err *err)
{
    struct timestamp_facts facts;
    struct timestamp_facts years_later = {0};
    int r;

    timestamp_check_response(der, n, request, request_size, trust, &facts);
    timestamp_check(der, n, s->data, s->n, NULL, &years_later);
    if (!facts.intact)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is refused: %s", facts.why);
    else if (trust_has_anchors(trust) && !facts.trusted)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is not trusted: %s", facts.why);
    else if (!years_later.intact)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is not of '%s': %s", s->name,
                    years_later.why);
    else
        r = keep(c, s, der, n, &facts, url, file, err);
    timestamp_facts_clear(&years_later);
    timestamp_facts_clear(&facts);
    return r;
}

/* --- over the network --- */

static int
exchange(int to, int from, const void *request, size_t n, uint8_t **out, size_t *out_n,
         struct err *err)
{
    uint8_t *data = xcalloc(SIGNATURE_MAX + 1, 1);
    size_t got = 0;
    ssize_t r;

    /* A pipe holds more than a request. */
    if (write(to, request, n) != (ssize_t)n) {
        free(data);
        return err_errno(err, "cannot send to exhibit-fetch");
    }
    (void)close(to);
    do {
        r = read(from, data + got, SIGNATURE_MAX + 1 - got);
        if (r > 0)
            got += (size_t)r;
    } while ((r > 0 && got <= SIGNATURE_MAX) || (r < 0 && errno == EINTR));
    *out = data;
    *out_n = got;
    return 0;
}

static int
run_fetch(const char *url, unsigned timeout, const int request[2], const int response[2],
          const void *data, size_t n, uint8_t **out, size_t *out_n, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-fetch", err);
    AUTO_FREE char *seconds = xasprintf("%u", timeout);
    AUTO_FREE char *where = xstrdup(url);
    char name[] = "exhibit-fetch";
    char *argv[] = {name, where, seconds, NULL};
    const struct spawn_fd fds[] = {{request[0], STDIN_FILENO}, {response[1], STDOUT_FILENO}};
    int status = 0;
    pid_t pid;
    int r;

    pid = path ? spawn(path, argv, fds, 2, err) : -1;
    (void)close(request[0]);
    (void)close(response[1]);
    if (pid < 0) {
        (void)close(request[1]);
        (void)close(response[0]);
        return -1;
    }
    r = exchange(request[1], response[0], data, n, out, out_n, err);
    (void)close(response[0]);
    if (spawn_wait(pid, &status, err) != 0 || r != 0)
        return -1;
    return status == 0 ? 0 : err_set(err, OUTCOME_FAILED, "no time stamp from '%s'", url);
}

static int
fetch(const char *url, unsigned timeout, const void *data, size_t n, uint8_t **out, size_t *out_n,
      struct err *err)
{
    int request[2];
    int response[2];

    *out = NULL;
    if (pipe2(request, O_CLOEXEC) != 0)
        return err_errno(err, "cannot make a pipe");
    if (pipe2(response, O_CLOEXEC) != 0) {
        (void)close(request[0]);
        (void)close(request[1]);
        return err_errno(err, "cannot make a pipe");
    }
    return run_fetch(url, timeout, request, response, data, n, out, out_n, err);
}

static int
try_one(const struct custody *c, const struct stamped *s, const struct seal_tsa *tsa,
        const char *url, char **file, struct err *err)
{
    AUTO_FREE uint8_t *request = NULL;
    AUTO_FREE uint8_t *response = NULL;
    size_t n;
    size_t response_n = 0;

    request = timestamp_request(s->data, s->n, tsa->policy, &n, err);
    if (!request || fetch(url, tsa->timeout, request, n, &response, &response_n, err) != 0)
        return -1;
    if (check_and_keep(c, s, response, response_n, request, n, tsa->trust, url, file, err) != 0)
        return err_context(err, "'%s'", url);
    return 0;
}

int
seal_timestamp(const struct custody *c, const struct seal_tsa *tsa, char **file, struct err *err)
{
    struct stamped s = {0};
    int r = choose(c, &s, err);

    for (size_t i = 0; r == 0 && i < tsa->n_urls; i++) {
        r = try_one(c, &s, tsa, tsa->urls[i], file, err);
        if (r == 0)
            break;
        /* The next may do better; nothing else would name this one. */
        if (i + 1 < tsa->n_urls) {
            (void)err_report(err);
            *err = (struct err)ERR_INIT;
            r = 0;
        }
    }
    stamped_clear(&s);
    return r;
}

/* --- by hand --- */

int
seal_write_request(const struct custody *c, const char *policy, char **file, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsq", c->manifest);
    AUTO_FREE uint8_t *request = NULL;
    struct stamped s = {0};
    size_t n;
    int r = choose(c, &s, err);

    if (r == 0) {
        request = timestamp_request(s.data, s.n, policy, &n, err);
        r = request ? outfile_write(c->dir, name, request, n, false, err) : -1;
    }
    if (r == 0)
        *file = xstrdup(name);
    stamped_clear(&s);
    return r;
}

static char *
read_path(const char *path, size_t *n, struct err *err)
{
    const char *base;
    AUTO_FD int dir = path_open_parent(path, &base, err);

    return dir < 0 ? NULL : infile_read(dir, base, SIGNATURE_MAX, n, err);
}

int
seal_take_response(const struct custody *c, const char *path, const struct trust *trust,
                   char **file, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsq", c->manifest);
    AUTO_FREE char *request = NULL;
    AUTO_FREE char *response = NULL;
    struct stamped s = {0};
    size_t request_n;
    size_t n;
    int r;

    request = infile_read(c->dir, name, TIMESTAMP_REQUEST_MAX, &request_n, err);
    if (!request)
        return err_context(err, "the response belongs to a request, which "
                                "'--timestamp-request' writes");
    response = read_path(path, &n, err);
    if (!response)
        return -1;
    r = choose(c, &s, err);
    if (r == 0)
        r = check_and_keep(c, &s, response, n, request, request_n, trust, NULL, file, err);
    stamped_clear(&s);
    return r == 0 ? 0 : err_context(err, "'%s'", path);
}
