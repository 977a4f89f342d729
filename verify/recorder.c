#include "verify/recorder.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/custody.h"
#include "common/json.h"
#include "common/text.h"
#include "verify/aside.h"

/* A verdict, and the answer: short lines. */
#define MESSAGE_MAX ((size_t)64 << 10)

struct recorder {
    struct aside aside;
};

struct ledgers {
    const char *const *manifests;
    size_t n;
};

/* The sandboxed side has read hostile bytes: it can say what it found about one of these images,
   and neither who says so, nor when, nor anything else. */
static int
answer(const char *const *manifests, size_t n, const json_t *m, struct err *err)
{
    json_t *fields = json_object_get(m, "fields");
    struct custody c;
    uint64_t image = 0;
    json_t *event;
    int r;

    if (json_get_u64(m, "image", &image, err) != 0)
        return -1;
    if (!json_is_object(fields) || image >= n || !manifests[image])
        return err_set(err, OUTCOME_FAILED, "the image has no manifest that a ledger could be of");
    r = custody_open(&c, manifests[image], err);
    if (r == 0) {
        event = ledger_event("verified");
        (void)json_object_update_missing(event, fields);
        r = custody_record(&c, event, NULL, NULL, err);
    }
    custody_close(&c);
    return r;
}

static void
serve(int fd, const void *with)
{
    const struct ledgers *l = with;
    AUTO_FREE char *buf = xcalloc(MESSAGE_MAX, 1);
    ssize_t r;

    /* What ends the other side ends this one, by the end of the socket. */
    (void)signal(SIGINT, SIG_IGN);
    while ((r = recv(fd, buf, MESSAGE_MAX, 0)) > 0 || (r < 0 && errno == EINTR)) {
        struct err err = ERR_INIT;
        json_t *m = r > 0 ? json_loadb(buf, (size_t)r, JSON_REJECT_DUPLICATES, NULL) : NULL;

        if (r < 0)
            continue;
        if (answer(l->manifests, l->n, m, &err) == 0)
            err.text[0] = '\0';
        json_decref(m);
        (void)send(fd, err.text, strlen(err.text) + 1, MSG_NOSIGNAL);
    }
}

struct recorder *
recorder_start(const char *const *manifests, size_t n, struct err *err)
{
    const struct ledgers with = {manifests, n};
    struct recorder *r = xcalloc(1, sizeof *r);

    if (aside_start(&r->aside, SOCK_SEQPACKET, serve, &with, err) == 0)
        return r;
    free(r);
    return NULL;
}

int
recorder_add(struct recorder *r, size_t image, json_t *fields, struct err *err)
{
    json_t *m = json_object();
    AUTO_FREE char *line = NULL;
    AUTO_FREE char *reply = xcalloc(MESSAGE_MAX + 1, 1);
    ssize_t n;

    json_set_u64(m, "image", image);
    (void)json_object_set_new(m, "fields", fields);
    line = json_to_line(m);
    json_decref(m);
    if (strlen(line) > MESSAGE_MAX || send(r->aside.fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        return err_set(err, OUTCOME_FAILED, "the ledger's writer has gone");
    do {
        n = recv(r->aside.fd, reply, MESSAGE_MAX, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return err_set(err, OUTCOME_FAILED, "the ledger's writer has gone");
    return *reply == '\0' ? 0 : err_set(err, OUTCOME_FAILED, "not recorded: %s", reply);
}

void
recorder_end(struct recorder *r)
{
    if (!r)
        return;
    aside_end(&r->aside);
    free(r);
}
