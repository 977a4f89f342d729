/*
 * A peer of the supervisor for tests: starts the program, speaks its protocol as a front would that
 * has gone wrong or over to the other side, and has disks (loop devices) for it. A test that cannot
 * go on fails or is skipped in here.
 */
#ifndef EXHIBIT_TESTS_SUPERVISOR_PEER_H
#define EXHIBIT_TESTS_SUPERVISOR_PEER_H

#include "tests/lib/unit.h"

#include <sys/types.h>

#include "common/privilege.h"
#include "common/spawn.h"
#include "common/supervisor_proto.h"

#define NOBODY 65534
#define DISK_SIZE (1 << 20)

/* A supervisor, and our end of its socket. */
struct peer {
    int sock;
    pid_t pid;
};

/* Its arguments from the third on; NULL: none. They are copied. */
void peer_arguments(const char *third, const char *fourth, const char *fifth);
/* Runs a copy of the program that anyone may reach, made in the current directory; or not. */
void peer_use_copy(bool use);

/* Starts the program alone, with at most one descriptor, as `as` (NULL: as ourselves). */
pid_t peer_start(const char *uid, const char *gid, const struct spawn_fd *fd,
                 const struct privilege *as);
/* Starts it for that user. */
struct peer meet_as(uid_t uid);
struct peer meet(void);
/* Its exit status. */
int status_of(pid_t pid);
/* Hangs up, and removes the records that it wrote, which are for real jobs; the return is the exit
   status. */
int part(struct peer *p);

void say(struct peer *p, const struct supervisor_message *m, const int *fds, size_t n);
/* The next message; false if the supervisor has gone. */
bool hear(struct peer *p, struct supervisor_message *m);
struct supervisor_message ask(struct peer *p, struct supervisor_message m, const int *fds,
                              size_t n);
/* The request ends it, without an answer. */
void assert_fatal(struct peer p, const struct supervisor_message *m, const int *fds, size_t n);

/* Descriptors for a START: the worker's socket, a directory, the source, and more directories. */
struct start_fds {
    int events; /* our end */
    int fds[SUPERVISOR_FDS_MAX];
};
struct start_fds make_start(const char *source);
void end_start(struct start_fds *s);
/* A file of DISK_SIZE zeros in the current directory. */
void make_file(const char *name);

/* A loop device on a fresh file, without the read-only flag; the test is skipped where there is
   none to be had. It goes with the last descriptor of it, also when a test fails. */
struct disk {
    char path[64];
    int fd;
    uint64_t number;
};
void attach(struct disk *d);
void detach(struct disk *d);
bool is_read_only(const struct disk *d);
void set_read_only(const struct disk *d, int value);
/* The request to take it. */
struct supervisor_message opening(const struct disk *d);

#endif
