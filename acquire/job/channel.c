#include "acquire/job/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

int
channel_send(int sock, json_t *m, struct err *err)
{
    AUTO_FREE char *line = json_to_line(m);
    size_t n = strlen(line);
    ssize_t r;

    json_decref(m);
    if (n > CHANNEL_MESSAGE_MAX)
        return err_set(err, OUTCOME_FAILED, "a message of %zu bytes is too long", n);
    do {
        r = send(sock, line, n, MSG_NOSIGNAL);
    } while (r < 0 && errno == EINTR);
    if (r != (ssize_t)n)
        return err_errno(err, "cannot send to the job's other process");
    return 0;
}

json_t *
channel_receive(int sock, bool *end, struct err *err)
{
    AUTO_FREE char *buf = xcalloc(CHANNEL_MESSAGE_MAX, 1);
    unsigned resets = 0;
    bool reset;
    json_t *m;
    ssize_t r;

    /* A peer that ends without having read all that we sent makes this an error, once, before what
       it has sent itself can be read. */
    do {
        r = recv(sock, buf, CHANNEL_MESSAGE_MAX, 0);
        reset = r < 0 && errno == ECONNRESET && resets++ == 0;
    } while (r < 0 && (errno == EINTR || reset));
    *end = r == 0 || (r < 0 && errno == ECONNRESET);
    if (*end)
        return NULL;
    if (r < 0) {
        (void)err_errno(err, "cannot receive from the job's other process");
        return NULL;
    }
    m = json_loadb(buf, (size_t)r, JSON_REJECT_DUPLICATES, NULL);
    if (m && json_is_object(m) && json_text_or_null(m, "type"))
        return m;
    json_decref(m);
    (void)err_set(err, OUTCOME_FAILED, "a malformed message from the job's other process");
    return NULL;
}
