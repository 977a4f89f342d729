/*
 * Both ends of a socket as front, worker and supervisor speak over it, for the setup and teardown
 * of a test.
 */
#ifndef EXHIBIT_TESTS_SOCKET_ENDS_H
#define EXHIBIT_TESTS_SOCKET_ENDS_H

#include <sys/socket.h>

#include "tests/lib/unit.h"

static int ends[2];

static inline int
make_socket(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static inline int
close_socket(void **state)
{
    (void)state;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

#endif
