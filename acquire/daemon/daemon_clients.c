/*
 * The core's side of the connections: each gets a process that is its client's own user.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acquire/daemon/daemon_core_impl.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/spawn.h"
#include "common/text.h"

#define ACCEPTED_A_TURN 32
#define TURNED_AWAY_NS UINT64_C(1000000000)

/* An answer that needs no process, for those who are too many. */
#define TOO_MANY "{\"error\":\"too many connections; try again in a moment\",\"exit\":1}"
_Static_assert(sizeof TOO_MANY - 1 == 64, "the length that the answer names");
static const char too_many[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: application/json\r\n"
                               "Connection: close\r\n"
                               "Retry-After: 1\r\n"
                               "Content-Length: 64\r\n"
                               "\r\n" TOO_MANY;

/* Who is told so may be about to send its request: an end that closes at once would be a reset, and
   the answer lost. So the last ones stay open for a moment. */
static void
turn_away(struct core *c, int sock)
{
    int *place = &c->turned_away[c->turned++ % TURNED_AWAY_MAX];

    (void)send(sock, too_many, sizeof too_many - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(sock, SHUT_WR);
    if (*place > 0)
        (void)close(*place);
    *place = fcntl(sock, F_DUPFD_CLOEXEC, 3);
    c->turned_last = clock_monotonic_ns();
}

static void
forget_turned_away(struct core *c)
{
    if (c->turned == 0 || clock_monotonic_ns() - c->turned_last < TURNED_AWAY_NS)
        return;
    for (size_t i = 0; i < TURNED_AWAY_MAX; i++) {
        if (c->turned_away[i] > 0)
            (void)close(c->turned_away[i]);
        c->turned_away[i] = 0;
    }
    c->turned = 0;
}

static size_t
connections_of(const struct core *c, uid_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_clients; i++)
        n += c->clients[i]->peer.as.uid == uid;
    return n;
}

/* Whoever is to set things right gets in. */
static bool
is_full(const struct core *c, uid_t uid)
{
    const struct daemon_settings *s = c->settings;

    if (c->n_clients >= CLIENTS_MAX)
        return true;
    return uid != 0 && (c->n_clients >= s->clients || connections_of(c, uid) >= s->clients_of_user);
}

static pid_t
start_api(const struct daemon_peer *peer, int connection, int core, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-api", err);
    struct run_user user = {.as = peer->as, .daemon = getpid()};
    struct spawn_as as = {.drop = run_become, .to = &user};
    struct spawn_fd map[] = {{.ours = connection, .theirs = API_CLIENT_FD},
                             {.ours = core, .theirs = API_CORE_FD}};
    /* Those who may not come in are told so by a process as well: telling takes HTTP. */
    char *argv[] = {(char[]){"exhibit-api"}, peer->member ? NULL : (char[]){"forbidden"}, NULL};

    return path ? spawn_as(path, argv, map, sizeof map / sizeof map[0], &as, err) : -1;
}

static int
add_client(struct core *c, const struct daemon_peer *peer, int connection, struct err *err)
{
    struct client *client;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, "cannot make a socket");
    /* The core waits for nobody; the API process waits for the core. */
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        return err_errno(err, "cannot make a socket");
    }
    client = xcalloc(1, sizeof *client);
    *client = (struct client){.sock = pair[0], .peer = *peer, .helper_out = -1};
    client->pid = start_api(peer, connection, pair[1], err);
    (void)close(pair[1]);
    if (client->pid < 0) {
        (void)close(pair[0]);
        free(client);
        return -1;
    }
    c->clients[c->n_clients++] = client;
    return 0;
}

static void
take_connection(struct core *c, int connection)
{
    struct err err = ERR_INIT;
    struct daemon_peer peer;
    uid_t uid;

    if (daemon_peer_uid(connection, &uid, &err) != 0) {
        (void)err_report(&err);
        return;
    }
    /* Before anything that takes time: who comes a thousandfold is to cost next to nothing. */
    if (is_full(c, uid)) {
        turn_away(c, connection);
        return;
    }
    if (daemon_peer(connection, c->settings->group, &peer, &err) != 0) {
        (void)err_report(&err);
        return;
    }
    if (add_client(c, &peer, connection, &err) != 0) {
        (void)err_report(&err);
        turn_away(c, connection);
    }
}

void
core_accept(struct core *c)
{
    for (int i = 0; i < ACCEPTED_A_TURN; i++) {
        AUTO_FD int connection = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0)
            take_connection(c, connection);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* --- one connection --- */

static void
let_go(struct client *client)
{
    if (client->sock >= 0)
        (void)close(client->sock);
    client->sock = -1;
}

void
core_serve(struct core *c, struct client *client)
{
    struct err err = ERR_INIT;
    int r = daemon_receive(client->sock, &c->message, NULL, &err);

    if (r == 1 && client->state == CLIENT_IDLE && core_answer(c, client) == 0)
        return;
    if (r < 0 && err.sys == EAGAIN)
        return;
    if (r != 0 && err.sys != ECONNRESET)
        core_log("the process of a client of %s is let go: %s", client->peer.name,
                 r < 0 ? err.text : "a request that is not permitted");
    let_go(client);
}

void
core_send(struct core *c, struct client *client, int fd)
{
    struct err ignored = ERR_INIT;

    /* Whoever asked reads the answer; who does not is no API process of ours. */
    if (client->sock >= 0 && daemon_send(client->sock, &c->message, fd, &ignored) != 1)
        let_go(client);
}

/* What is next for it goes into c->message. False: there is nothing now. */
static bool
next_of_list(struct core *c, struct client *client)
{
    const struct daemon_job *job = queue_after(c->queue, client->id, client->peer.as.uid);

    if (job) {
        core_fill_job(c, job);
        client->id = job->facts.id;
        return true;
    }
    daemon_message_begin(&c->message, DAEMON_END);
    client->state = CLIENT_IDLE;
    return true;
}

static bool
next_event(struct core *c, struct client *client)
{
    const struct daemon_job *job = queue_find(c->queue, client->id, client->peer.as.uid);
    const struct job_events *events = client->id == 0 ? &c->attached : job ? &job->events : NULL;
    const struct job_event *e = events ? job_events_after(events, client->number) : NULL;

    if (e) {
        daemon_message_begin(&c->message, DAEMON_EVENT);
        c->message.id = client->id;
        c->message.number = client->number = e->number;
        c->message.time = e->time;
        c->message.kind = e->kind;
        c->message.facts = e->facts;
        (void)daemon_message_add(&c->message, e->phase);
        (void)daemon_message_add(&c->message, e->text);
        return true;
    }
    if (client->id == 0 ||
        (job && (!job_state_is_end((enum job_state)job->facts.state) || job->discarder)))
        return false;
    daemon_message_begin(&c->message, DAEMON_END);
    client->state = CLIENT_IDLE;
    return true;
}

void
core_feed(struct core *c, struct client *client)
{
    struct err ignored = ERR_INIT;
    int r = 1;

    client->blocked = false;
    while (r == 1 && client->sock >= 0) {
        struct client before = *client;

        if ((client->state != CLIENT_LISTING && client->state != CLIENT_FOLLOWING) ||
            !(client->state == CLIENT_LISTING ? next_of_list(c, client) : next_event(c, client)))
            return;
        r = daemon_send(client->sock, &c->message, -1, &ignored);
        if (r == 0) {
            *client = before;
            client->blocked = true;
        }
    }
    if (r < 0)
        let_go(client);
}

/* --- the end of them --- */

bool
core_reap_client(struct core *c, pid_t pid, int status)
{
    for (size_t i = 0; i < c->n_clients; i++) {
        struct client *client = c->clients[i];

        if (client->pid == pid) {
            client->pid = 0;
            let_go(client);
            return true;
        }
        if (client->helper == pid) {
            client->helper = 0;
            core_helped(c, client, status);
            return true;
        }
    }
    return false;
}

void
core_sweep(struct core *c)
{
    size_t kept = 0;

    forget_turned_away(c);
    for (size_t i = 0; i < c->n_clients; i++) {
        struct client *client = c->clients[i];

        /* A process counts as long as it is there. */
        if (client->sock >= 0 || client->pid > 0 || client->helper > 0) {
            c->clients[kept++] = client;
            continue;
        }
        if (client->helper_out >= 0)
            (void)close(client->helper_out);
        free(client);
    }
    c->n_clients = kept;
}

void
core_close_clients(struct core *c)
{
    for (size_t i = 0; i < c->n_clients; i++)
        let_go(c->clients[i]);
}
