/*
 * The messages between exhibitd's core and the API process of one client: one packet each on a
 * SOCK_SEQPACKET socket, a fixed head and the texts that belong to it. No message carries a user
 * id: the core knows whose socket it is, from the kernel. The core trusts none of what it receives:
 * the API process runs as its client.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_PROTO_H
#define EXHIBIT_ACQUIRE_DAEMON_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define API_CLIENT_FD 3 /* the API process's descriptors: its client's connection, */
#define API_CORE_FD 4   /* and the core */

#define DAEMON_TEXTS_MAX 65536 /* bytes of all texts of one message, with their NULs */
#define DAEMON_OPTIONS_MAX 128 /* options that one job is submitted with, */
#define DAEMON_DEFAULTS_MAX 64 /* and those that are put before them */

/* The largest id of a job: a number that JSON holds exactly everywhere (RFC 8259, section 6). */
#define JOB_ID_MAX ((UINT64_C(1) << 53) - 1)

enum daemon_type {
    /* Requests; `id` is a job's. Texts of SUBMIT: source, dest, options. */
    DAEMON_SUBMIT = 1,
    DAEMON_LIST,   /* answered by a JOB each and END */
    DAEMON_LOOK,   /* answered by JOB */
    DAEMON_FOLLOW, /* number: after which event; answered by an EVENT each as they come, and END;
                      id 0: the events of devices, which have no end */
    DAEMON_PAUSE,
    DAEMON_CONTINUE,
    DAEMON_CANCEL,   /* number: 1 to remove what was written */
    DAEMON_DEVICES,  /* answered by STREAM */
    DAEMON_RELEASE,  /* number: the device's; text: its path, for messages; answered by END */
    DAEMON_ATTACHED, /* number: the device's; root's word; answered by END */
    /* Answers. */
    DAEMON_JOB,    /* texts: user, source, dest, phase, message, options */
    DAEMON_EVENT,  /* number: of the event; texts: phase, message (ATTACHED: the device's path) */
    DAEMON_STREAM, /* with a descriptor to read the answer from */
    DAEMON_END,
    DAEMON_REFUSED, /* text: why */
};

/* Why not; each is an HTTP status of its own. */
enum daemon_refusal {
    REFUSAL_NONE,
    REFUSAL_INVALID,   /* the request makes no sense */
    REFUSAL_FORBIDDEN, /* not for this user */
    REFUSAL_UNKNOWN,   /* no such job, for this user */
    REFUSAL_STATE,     /* not in the job's present state */
    REFUSAL_LIMIT,     /* too many already */
    REFUSAL_FAILED,    /* could not be done */
};

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_PAUSED,
    JOB_DONE,
    JOB_FAILED,
    JOB_INTERRUPTED,
    JOB_CANCELLED,
};

enum job_event_kind {
    JOB_EVENT_STATE,    /* the job's state has changed */
    JOB_EVENT_PROGRESS, /* so much has been read */
    JOB_EVENT_MESSAGE,  /* something was said */
    JOB_EVENT_ATTACHED, /* of no job: there is a new disk */
};

/* What is known of a job in numbers. */
struct job_facts {
    uint64_t id; /* 1 to JOB_ID_MAX, never used again */
    uint32_t uid;
    uint32_t state;    /* enum job_state */
    int32_t exit;      /* of exhibit-acquire (128 + signal if one ended it); -1: none yet */
    uint32_t stopping; /* was asked to end, and has not yet */
    uint64_t bytes_done, bytes_total;
    uint64_t rate; /* bytes a second */
    uint64_t eta_s;
    uint64_t unreadable_sectors;
    int64_t submitted, started, finished; /* epoch; 0: not yet */
};

struct daemon_message {
    uint32_t type;    /* enum daemon_type */
    uint32_t refusal; /* REFUSED: enum daemon_refusal */
    uint32_t outcome; /* REFUSED: enum outcome */
    uint32_t kind;    /* EVENT: enum job_event_kind */
    uint64_t id;
    uint64_t number;
    int64_t time; /* EVENT: epoch */
    struct job_facts facts;
    uint32_t length; /* of texts: whole texts, each with its NUL */
    char texts[DAEMON_TEXTS_MAX];
};

/* Empties *m and gives it that type. */
void daemon_message_begin(struct daemon_message *m, enum daemon_type type);

/* Adds a text (NULL as ""); false if there is no more room. */
bool daemon_message_add(struct daemon_message *m, const char *text);

/* The text at *at (begin with 0), and *at moves to the next; NULL after the last. */
const char *daemon_message_text(const struct daemon_message *m, size_t *at);

/* Sends *m and, unless it is -1, a descriptor (which stays the caller's). 1: sent; 0: not now, as
   the socket is full and does not block; -1: the other end has gone. */
int daemon_send(int sock, const struct daemon_message *m, int fd, struct err *err);

/* Receives one message: 1; 0 at the end of the socket; -1 on an error, which a packet that is no
   whole message is too. A descriptor that came along goes into *fd, or is closed if fd is NULL. */
int daemon_receive(int sock, struct daemon_message *m, int *fd, struct err *err);

const char *job_state_name(enum job_state state);

/* True if the job has come to an end, whichever. */
bool job_state_is_end(enum job_state state);

#endif
