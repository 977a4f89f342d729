/*
 * exhibitd's ends to the outside: the socket that it listens on, who is at the other end of a
 * connection, and the service manager.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_LISTEN_H
#define EXHIBIT_ACQUIRE_DAEMON_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/privilege.h"

#define DAEMON_SOCKET "/run/exhibit/exhibitd.sock"
#define DAEMON_GROUP "exhibit"

/* Makes the socket (root:group, 0660) in place of one that nobody listens on any more. Returns the
   descriptor, which does not block. */
int daemon_listen(const char *path, gid_t group, struct err *err);

/* The socket that a service manager has handed over, or -1. */
int daemon_listen_given(void);

int daemon_group(const char *name, gid_t *gid, struct err *err);

/* Whose a connection is, by the kernel's word and without a look into the user database. */
int daemon_peer_uid(int sock, uid_t *out, struct err *err);

/* Who has connected, by the kernel's word: user, groups, and whether they may: a member of the
   group, by the groups of the process or the user database's, or root. */
struct daemon_peer {
    struct privilege as;
    char name[64]; /* or the number as text */
    bool member;
};
int daemon_peer(int sock, gid_t group, struct daemon_peer *out, struct err *err);

/* Whether the user database has the user in that group. Who is not may be a member all the same, by
   the groups of the process that asks (newgrp(1), a container's user). */
bool daemon_is_listed(uid_t uid, gid_t gid, gid_t group);

/* Tells the service manager, if there is one: "READY=1". */
void daemon_notify(const char *state);

#endif
