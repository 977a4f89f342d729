/*
 * The sandbox of a worker: what is left to it once it has its descriptors
 * (acquire/job/worker_fds.h). Below its directories it makes and writes files; the source it
 * reads through the descriptor that it holds; it speaks on the sockets that it holds. Nothing else.
 */
#ifndef EXHIBIT_ACQUIRE_WORKER_SANDBOX_H
#define EXHIBIT_ACQUIRE_WORKER_SANDBOX_H

#include "acquire/job/worker_fds.h"
#include "common/sandbox.h"

/* Puts the numbers of the n_dirs directories into dirs and enters it. lenient: as for
   sandbox_enter(). */
int worker_sandbox(int dirs[WORKER_DIRS_MAX], size_t n_dirs, bool lenient,
                   struct sandbox_state *state, struct err *err);

#endif
