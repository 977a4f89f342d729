#include "common/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
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

struct bytes {
    char *data; /* owned by whoever declares it, unless that is said */
    size_t n;
};

/* One stamping: of the first signature, for that covers the manifest; else of the manifest. */
struct stamping {
    const struct custody *custody;
    const struct trust *trust;
    const char *url; /* where the response is from; NULL: brought by hand */
    char *name;      /* of what is stamped */
    struct bytes what;
    bool owned; /* `what` is not the custody's manifest */
    struct bytes request;
};

static int
begin(struct stamping *s, const struct custody *c, struct err *err)
{
    AUTO_FREE char *tsr = xasprintf("%s.tsr", c->manifest);

    *s = (struct stamping){.custody = c};
    if (exists(c, tsr))
        return err_set(err, OUTCOME_REFUSED, "'%s' already exists: the image has its time stamp",
                       tsr);
    s->name = signature_name(c, 1);
    s->owned = exists(c, s->name);
    if (s->owned) {
        s->what.data = infile_read(c->dir, s->name, SIGNATURE_MAX, &s->what.n, err);
        return s->what.data ? 0 : -1;
    }
    free(s->name);
    s->name = xstrdup(c->manifest);
    s->what = (struct bytes){c->text, c->size};
    return 0;
}

static void
end(struct stamping *s)
{
    if (s->owned)
        free(s->what.data);
    free(s->request.data);
    free(s->name);
}

static int
ask(struct stamping *s, const char *policy, struct err *err)
{
    free(s->request.data);
    s->request.data =
        (char *)timestamp_request(s->what.data, s->what.n, policy, &s->request.n, err);
    return s->request.data ? 0 : -1;
}

static int
keep(const struct stamping *s, const struct bytes *response, const struct timestamp_facts *facts,
     char **file, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsr", s->custody->manifest);
    json_t *event = ledger_event("timestamped");
    char time[CLOCK_TEXT_MAX];

    json_set_text(event, "authority", facts->authority);
    json_set_text(event, "url", s->url);
    json_set_text(event, "stamped", clock_text(facts->time, time));
    json_set_text(event, "serial", facts->serial);
    json_set_text(event, "of", s->name);
    (void)json_object_set_new(event, "timestamp_file",
                              custody_file(name, response->data, response->n));
    if (outfile_write(s->custody->dir, name, response->data, response->n, false, err) != 0) {
        json_decref(event);
        return -1;
    }
    if (custody_record(s->custody, event, NULL, NULL, err) != 0)
        return err_context(err, "'%s' is written, but the ledger does not say so", name);
    *file = xstrdup(name);
    return 0;
}

/* The token is kept only if it answers the request, and, where authorities are named, comes from
   one of them. */
static int
check_and_keep(const struct stamping *s, const struct bytes *response, char **file, struct err *err)
{
    struct timestamp_facts facts;
    struct timestamp_facts years_later;
    int r;

    timestamp_check_response(response->data, response->n, s->request.data, s->request.n, s->trust,
                             &facts);
    timestamp_check(response->data, response->n, s->what.data, s->what.n, NULL, &years_later);
    if (!facts.intact)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is refused: %s", facts.why);
    else if (trust_has_anchors(s->trust) && !facts.trusted)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is not trusted: %s", facts.why);
    else if (!years_later.intact)
        r = err_set(err, OUTCOME_FAILED, "the time stamp is not of '%s': %s", s->name,
                    years_later.why);
    else
        r = keep(s, response, &facts, file, err);
    timestamp_facts_clear(&years_later);
    timestamp_facts_clear(&facts);
    return r;
}

/* --- over the network --- */

static int
exchange(int sock, const struct bytes *request, struct bytes *response, struct err *err)
{
    ssize_t r;

    /* A socket holds more than a request. */
    if (write(sock, request->data, request->n) != (ssize_t)request->n)
        return err_errno(err, "cannot send to exhibit-fetch");
    (void)shutdown(sock, SHUT_WR);
    response->data = xcalloc(SIGNATURE_MAX + 1, 1);
    do {
        r = read(sock, response->data + response->n, SIGNATURE_MAX + 1 - response->n);
        if (r > 0)
            response->n += (size_t)r;
    } while ((r > 0 && response->n <= SIGNATURE_MAX) || (r < 0 && errno == EINTR));
    return 0;
}

/* exhibit-fetch, with a socket for both its standard streams: the request goes in and is ended, the
   response comes out. */
static pid_t
start_fetch(const char *url, unsigned timeout, int theirs, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-fetch", err);
    AUTO_FREE char *seconds = xasprintf("%u", timeout);
    AUTO_FREE char *where = xstrdup(url);
    char name[] = "exhibit-fetch";
    char *argv[] = {name, where, seconds, NULL};
    const struct spawn_fd fds[] = {{theirs, STDIN_FILENO}, {theirs, STDOUT_FILENO}};

    return path ? spawn(path, argv, fds, 2, err) : -1;
}

static int
fetch(const struct stamping *s, unsigned timeout, struct bytes *response, struct err *err)
{
    int pair[2];
    int status = 0;
    pid_t pid;
    int r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, "cannot make a socket");
    pid = start_fetch(s->url, timeout, pair[1], err);
    (void)close(pair[1]);
    r = pid < 0 ? -1 : exchange(pair[0], &s->request, response, err);
    (void)close(pair[0]);
    if (pid < 0 || spawn_wait(pid, &status, err) != 0 || r != 0)
        return -1;
    return status == 0 ? 0 : err_set(err, OUTCOME_FAILED, "no time stamp from '%s'", s->url);
}

static int
try_one(struct stamping *s, const struct seal_tsa *tsa, char **file, struct err *err)
{
    struct bytes response = {0};
    int r = ask(s, tsa->policy, err) == 0 ? fetch(s, tsa->timeout, &response, err) : -1;

    if (r == 0 && check_and_keep(s, &response, file, err) != 0)
        r = err_context(err, "'%s'", s->url);
    free(response.data);
    return r;
}

int
seal_timestamp(const struct custody *c, const struct seal_tsa *tsa, char **file, struct err *err)
{
    struct stamping s;
    int r = begin(&s, c, err);

    s.trust = tsa->trust;
    for (size_t i = 0; r == 0 && i < tsa->n_urls; i++) {
        s.url = tsa->urls[i];
        r = try_one(&s, tsa, file, err);
        if (r == 0)
            break;
        /* The next may do better; nothing else would name this one. */
        if (i + 1 < tsa->n_urls) {
            (void)err_report(err);
            *err = (struct err)ERR_INIT;
            r = 0;
        }
    }
    end(&s);
    return r;
}

/* --- by hand --- */

int
seal_write_request(const struct custody *c, const char *policy, char **file, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsq", c->manifest);
    struct stamping s;
    int r = begin(&s, c, err);

    if (r == 0)
        r = ask(&s, policy, err);
    if (r == 0)
        r = outfile_write(c->dir, name, s.request.data, s.request.n, false, err);
    if (r == 0)
        *file = xstrdup(name);
    end(&s);
    return r;
}

static int
read_request(struct stamping *s, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s.tsq", s->custody->manifest);

    s->request.data = infile_read(s->custody->dir, name, TIMESTAMP_REQUEST_MAX, &s->request.n, err);
    return s->request.data ? 0
                           : err_context(err, "the response belongs to a request, which "
                                              "'--timestamp-request' writes");
}

int
seal_take_response(const struct custody *c, const char *path, const struct trust *trust,
                   char **file, struct err *err)
{
    struct bytes response = {0};
    struct stamping s;
    int r = begin(&s, c, err);

    s.trust = trust;
    if (r == 0)
        r = read_request(&s, err);
    if (r == 0) {
        response.data = infile_read(AT_FDCWD, path, SIGNATURE_MAX, &response.n, err);
        r = response.data ? check_and_keep(&s, &response, file, err) : -1;
    }
    free(response.data);
    end(&s);
    return r == 0 ? 0 : err_context(err, "'%s'", path);
}
