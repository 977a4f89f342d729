/*
 * Giving up root for good, between fork and exec of the worker.
 */
#ifndef EXHIBIT_PRIVILEGE_H
#define EXHIBIT_PRIVILEGE_H

#include <sys/types.h>

#define PRIVILEGE_GROUPS_MAX 128

struct privilege {
    uid_t uid;
    gid_t gid;
    gid_t groups[PRIVILEGE_GROUPS_MAX]; /* supplementary; those that fit */
    int n_groups;
};

/* Looks the user's groups up. */
void privilege_find(uid_t uid, gid_t gid, struct privilege *out);

/* Becomes that user (a const struct privilege *, as spawn_as() hands it over), with no capabilities
   (also as uid 0) and no way to gain any. Without root, only where uid and gid are the process's
   own. Async-signal-safe. Returns -1 with errno. */
int privilege_drop(const void *privilege);

#endif
