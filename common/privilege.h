/*
 * Giving up root for good, between fork and exec of the worker; and most of it, in who keeps some.
 */
#ifndef EXHIBIT_PRIVILEGE_H
#define EXHIBIT_PRIVILEGE_H

#include <stddef.h>
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

/* For a program that stays root: keeps of its capabilities those n (CAP_…, and of these what it
   has), also across an exec, and gains no others any more. Without root nothing is left to give up
   but the gaining. Returns -1 with errno. */
int privilege_keep(const unsigned *capabilities, size_t n);

/* Becomes that user (a const struct privilege *, as spawn_as() hands it over), with no capabilities
   (also as uid 0) and no way to gain any. Without root, only where uid and gid are the process's
   own. Async-signal-safe. Returns -1 with errno. */
int privilege_drop(const void *privilege);

#endif
