/*
 * A process of one's own that is forked before the sandbox closes and does, when asked through a
 * socket, what the program cannot do any more. It holds nothing that the program has open: neither
 * its output nor the source nor the files, which may be wanted elsewhere the moment it has ended.
 */
#ifndef EXHIBIT_VERIFY_ASIDE_H
#define EXHIBIT_VERIFY_ASIDE_H

#include <sys/types.h>

#include "common/err.h"

struct aside {
    int fd; /* to ask through */
    pid_t pid;
};

/* serve(fd, with) is what it does, until its return; `with` is copied with the process. `type` is
   the socket's: SOCK_STREAM or SOCK_SEQPACKET. */
int aside_start(struct aside *a, int type, void (*serve)(int fd, const void *with),
                const void *with, struct err *err);

/* It ends, and is waited for; one that is busy is left alone, and finds nobody to talk to. */
void aside_end(struct aside *a);

#endif
