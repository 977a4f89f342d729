/*
 * Who asked for the job, as the kernel and sudo know them, and as whom it will run.
 */
#ifndef EXHIBIT_REQUESTER_H
#define EXHIBIT_REQUESTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/privilege.h"

struct requester {
    uid_t uid; /* who called, before sudo */
    gid_t gid;
    char name[64];
    int64_t login_uid; /* of the login session (audit), -1 if none */
};

void requester_find(struct requester *out);

/* As whom the job's files are written: the requester, if they may write to all these directories
   (O_PATH descriptors); else, and only when running as root, root. */
void requester_writer(const struct requester *r, const int *dirs, size_t n, struct privilege *out);

#endif
