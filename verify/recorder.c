#include "verify/recorder.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/custody.h"
#include "common/json.h"
#include "common/text.h"

/* A verdict, and the answer: short lines. */
#define MESSAGE_MAX ((size_t)64 << 10)

struct recorder {
    int fd;
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
serve(int fd, const char *const *manifests, size_t n)
{
    AUTO_FREE char *buf = xcalloc(MESSAGE_MAX, 1);
    ssize_t r;

    while ((r = recv(fd, buf, MESSAGE_MAX, 0)) > 0 || (r < 0 && errno == EINTR)) {
        struct err err = ERR_INIT;
        json_t *m = r > 0 ? json_loadb(buf, (size_t)r, JSON_REJECT_DUPLICATES, NULL) : NULL;

        if (r < 0)
            continue;
        if (answer(manifests, n, m, &err) == 0)
            err.text[0] = '\0';
        json_decref(m);
        (void)send(fd, err.text, strlen(err.text) + 1, MSG_NOSIGNAL);
    }
}

struct recorder *
recorder_start(const char *const *manifests, size_t n, struct err *err)
{
    struct recorder *r;
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        (void)err_errno(err, "cannot make a socket");
        return NULL;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        /* What ends the other side ends this one, by the end of the socket. */
        (void)signal(SIGINT, SIG_IGN);
        serve(pair[1], manifests, n);
        _exit(0);
    }
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        (void)err_errno(err, "cannot start a process");
        return NULL;
    }
    r = xcalloc(1, sizeof *r);
    r->fd = pair[0];
    return r;
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
    if (strlen(line) > MESSAGE_MAX || send(r->fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        return err_set(err, OUTCOME_FAILED, "the ledger's writer has gone");
    do {
        n = recv(r->fd, reply, MESSAGE_MAX, 0);
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
    (void)close(r->fd);
    free(r);
}
