#include "acquire/worker/worker_sandbox.h"

#include <sys/resource.h>

/* An E01 that goes on needs all of its segments open. Not possible any more in the sandbox. */
static void
allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int
worker_sandbox(int dirs[WORKER_DIRS_MAX], size_t n_dirs, size_t n_sinks, bool lenient,
               struct sandbox_state *state, struct err *err)
{
    struct sandbox_spec spec = {
        .write_dirs = dirs,
        .n_write_dirs = n_dirs,
        .allow_threads = true,
        .allow_send = true,
        /* Segments in earlier directories are linked into the new one: sink_e01.c. */
        .allow_links = n_dirs > n_sinks,
    };

    for (size_t i = 0; i < n_dirs; i++)
        dirs[i] = WORKER_FD_DIR + (int)i;
    allow_many_files();
    if (sandbox_limit(0, 0, err) != 0)
        return -1;
    return sandbox_enter(&spec, lenient, state, err);
}
