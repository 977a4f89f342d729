/*
 * Starting the suite's other programs. They stand beside the running one, or in
 * ../libexec/exhibit of it; PATH is never searched.
 */
#ifndef EXHIBIT_SPAWN_H
#define EXHIBIT_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* The path of the suite's program `name`; the caller frees it. */
char *spawn_program_path(const char *name, struct err *err);

struct spawn_fd {
    int ours;   /* the descriptor in this process */
    int theirs; /* its number in the child */
};

/* Forks and executes path with argv (argv[0] included, NULL at the end). The child keeps stdin,
   stdout and stderr unless mapped, and the descriptors in fds; all others are closed. Returns the
   child's pid. */
pid_t spawn(const char *path, char *const argv[], const struct spawn_fd *fds, size_t n_fds,
            struct err *err);

/* As spawn(), but the child gives up privileges before it executes the program: drop() returns -1
   if it cannot, and is async-signal-safe. */
struct spawn_as {
    int (*drop)(const void *to);
    const void *to;
};
pid_t spawn_as(const char *path, char *const argv[], const struct spawn_fd *fds, size_t n_fds,
               const struct spawn_as *as, struct err *err);

/* Waits for the child: its exit status in *status, or 128 + the signal that ended it. */
int spawn_wait(pid_t pid, int *status, struct err *err);

#endif
