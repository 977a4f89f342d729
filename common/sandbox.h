/*
 * What a process gives up before it touches bytes that it has no reason to trust: new privileges,
 * being dumped or traced, the file system outside a few directories (Landlock), and system calls
 * outside a list (seccomp; no ioctl, socket, execve, ptrace, mount …: they fail with EPERM).
 * Descriptors that are open already stay usable. Cannot be undone; children inherit it.
 */
#ifndef EXHIBIT_SANDBOX_H
#define EXHIBIT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct sandbox_spec {
    const int
        *write_dirs; /* descriptors of directories: everything below may be made and written */
    size_t n_write_dirs;
    const int *read_dirs; /* descriptors of directories or files: reading only */
    size_t n_read_dirs;
    bool allow_threads; /* clone() of threads; never of processes */
    bool allow_send;    /* sendmsg/recvmsg on sockets that are open already */
    bool allow_network; /* only for sandbox_confine() */
    bool allow_dirs;    /* directories may be made in the write_dirs */
};

struct sandbox_state {
    bool no_new_privs;
    bool seccomp;
    int landlock_abi;  /* 0: Landlock is not in force */
    char missing[128]; /* what could not be had and why; "" if all is in force */
};

/* Enters the sandbox. Without `lenient`, anything that cannot be had is an error; with it, it is
   noted in state->missing and the rest is put in force. */
int sandbox_enter(const struct sandbox_spec *spec, bool lenient, struct sandbox_state *state,
                  struct err *err);

/* For a process that starts other programs, and so needs more of the machine: it, and all that it
   starts, can write files only below the write_dirs, makes no sockets unless allow_network, and
   traces nobody. Reading, executing and all other calls stay as they are; the rest of the spec is
   not looked at. `lenient` as above. */
int sandbox_confine(const struct sandbox_spec *spec, bool lenient, struct sandbox_state *state,
                    struct err *err);

/* Address space (bytes) and CPU time (seconds) at most; 0 leaves one alone. No core dumps. */
int sandbox_limit(size_t address_space, unsigned cpu_seconds, struct err *err);

/* A filter for a foreign program that must not reach the network: no sockets of any kind. Made
   before a fork; sandbox_filter_apply() is async-signal-safe (spawn_as() takes it), sets "no new
   privileges" as well, and returns -1 where the kernel refuses. */
struct sandbox_filter;
struct sandbox_filter *sandbox_offline_new(struct err *err);
void sandbox_filter_free(struct sandbox_filter *f);
int sandbox_filter_apply(const void *filter);

#endif
