#include "acquire/worker/worker_sandbox.h"

int
worker_sandbox(int dirs[WORKER_DIRS_MAX], size_t n_dirs, bool lenient, struct sandbox_state *state,
               struct err *err)
{
    struct sandbox_spec spec = {
        .write_dirs = dirs,
        .n_write_dirs = n_dirs,
        .allow_threads = true,
        .allow_send = true,
    };

    for (size_t i = 0; i < n_dirs; i++)
        dirs[i] = WORKER_FD_DIR + (int)i;
    if (sandbox_limit(0, 0, err) != 0)
        return -1;
    return sandbox_enter(&spec, lenient, state, err);
}
