/*
 * The supervisor's inside: what it knows of its one job, and the requests that a front may make.
 * supervisor.c holds the table of them; each handler checks what came with its message and returns
 * -1 where that was not permitted, which ends the supervisor. A refusal is an answer, and 0.
 */
#ifndef EXHIBIT_ACQUIRE_SUPERVISOR_H
#define EXHIBIT_ACQUIRE_SUPERVISOR_H

#include <stddef.h>
#include <sys/types.h>

#include "acquire/device/device.h"
#include "acquire/supervisor/guard.h"
#include "acquire/supervisor/monitor.h"
#include "acquire/supervisor/record.h"
#include "common/privilege.h"
#include "common/supervisor_proto.h"

enum supervisor_state {
    STATE_IDLE = 1,    /* nothing held */
    STATE_HELD = 2,    /* a device is open and protected */
    STATE_RUNNING = 4, /* the worker runs */
    STATE_ENDED = 8,   /* the worker has ended */
    STATE_LENT = 16,   /* the front has the descriptor, to compare an image with the device */
};

/* Why it was started: its starter's word, and never changed by a message. */
enum supervisor_purpose {
    PURPOSE_ACQUIRE = 1,
    PURPOSE_COMPARE = 2,
};

/* Which devices it may take: its starter's word as well. */
enum supervisor_policy {
    POLICY_ANY = 1,      /* the front was started by who may open them anyway */
    POLICY_EVIDENCE = 2, /* only what is marked as evidence */
};

struct supervisor {
    struct privilege user; /* who asked: the worker runs as them */
    enum supervisor_purpose purpose;
    enum supervisor_policy policy;
    enum write_block_level least; /* the weakest level; AUTO: whichever, but none */
    const char *const *evidence;  /* the configuration's marks: acquire/device/device_evidence.h */
    size_t n_evidence;
    enum supervisor_state state;
    struct device *device; /* NULL: the source is a file */
    int source;            /* descriptor, or -1 */
    struct record record;
    struct monitor *monitor; /* NULL: there is none */
    struct guard *guard;     /* NULL: the level is another one */
    struct device_setting usb;
    struct device_setting timeouts[2];
    pid_t worker; /* 0: none runs */
    pid_t drive;  /* exhibit-drive, which asks the drive; 0: none runs */
};

typedef int supervisor_handler(struct supervisor *s, const struct supervisor_message *m,
                               const int *fds, size_t n);

supervisor_handler supervisor_open;
supervisor_handler supervisor_lend;
supervisor_handler supervisor_ask;
supervisor_handler supervisor_start;
supervisor_handler supervisor_check;
supervisor_handler supervisor_finish;
supervisor_handler supervisor_release;

/* After SIGCHLD: tells the front that the worker has ended, if it has. */
int supervisor_reap(struct supervisor *s);
void supervisor_reap_drive(struct supervisor *s);

/* Kills exhibit-drive, if it runs: it has the device as well, and would keep the next job from it
   until the drive answers. */
void supervisor_end_drive(struct supervisor *s);

/* Kills the worker and waits for it, but not for ever: one that waits in the kernel for a drive
   that does not answer dies with its read, and until then it alone holds the device. */
void supervisor_end_worker(struct supervisor *s);

/* Whatever ended the conversation: the worker goes, the write block stays; unless the front has
   left in order before the job began. */
void supervisor_wind_up(struct supervisor *s, bool in_order);

/* Somebody was refused to change the source: noted in the record, and told to the front. */
void supervisor_note_attempt(struct supervisor *s, const struct supervisor_attempt *attempt);

/* Notes what the guard has refused since it was last asked. */
void supervisor_hear_guard(struct supervisor *s);

/* The answers. */
int supervisor_reply_with(const struct supervisor_message *m, const int *fds, size_t n);
int supervisor_reply(const struct supervisor_message *m);
int supervisor_refuse(const struct err *why);

#endif
