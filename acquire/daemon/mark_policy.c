#include "acquire/daemon/mark_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/device/device_evidence.h"
#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/size.h"
#include "common/text.h"

#define FILE_NAME "armed"
#define FILE_MAX 32 /* bytes: a number and a newline */

static bool
fits(const struct config_list *list, const struct device *device)
{
    return device_mark_fits(device, (const char *const *)list->v, list->n);
}

bool
mark_is_evidence(const struct device *device, const struct mark_state *state,
                 const struct config *config)
{
    char why[256];
    bool is_new = state->armed && device->diskseq > state->last;

    if (device->is_partition || fits(&config->spare, device))
        return false;
    if (!is_new && !fits(&config->evidence, device))
        return false;
    return device_in_use(device, why, sizeof why) == DEVICE_FREE;
}

int
mark_state_load(const char *dir, struct mark_state *out, struct err *err)
{
    AUTO_FREE char *text = NULL;
    AUTO_FD int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    size_t n;

    *out = (struct mark_state){0};
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(err, "cannot open '%s'", dir);
    text = infile_read(fd, FILE_NAME, FILE_MAX, &n, err);
    if (!text)
        return err->sys == ENOENT ? 0 : -1;
    text[strcspn(text, "\n")] = '\0';
    if (number_parse(text, 0, UINT64_MAX, FILE_NAME, &out->last, err) != 0)
        return -1;
    out->armed = true;
    return 0;
}

int
mark_state_arm(const char *dir, uint64_t last, struct err *err)
{
    AUTO_FREE char *text = xasprintf("%" PRIu64 "\n", last);
    AUTO_FD int fd = -1;

    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return err_errno(err, "cannot make '%s'", dir);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot open '%s'", dir);
    if (faccessat(fd, FILE_NAME, F_OK, 0) == 0)
        return 0;
    return outfile_write(fd, FILE_NAME, text, strlen(text), false, err);
}
