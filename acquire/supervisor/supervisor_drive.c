/*
 * Asking the drive itself, for the front: exhibit-drive gets the descriptor that is held and writes
 * into the front's pipe; the supervisor reads nothing of it.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquire/device/drive_answer.h"
#include "acquire/supervisor/supervisor.h"
#include "common/cleanup.h"
#include "common/spawn.h"
#include "common/text.h"

static int
start_drive(struct supervisor *s, int pipe_fd, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-drive", err);
    AUTO_FREE char *disk = xasprintf("/dev/%s", s->device->disk_name);
    char *argv[] = {(char[]){"exhibit-drive"}, (char[]){DRIVE_HEALTH}, disk, NULL};
    const struct spawn_fd map[] = {{.ours = s->source, .theirs = DRIVE_FD},
                                   {.ours = pipe_fd, .theirs = STDOUT_FILENO}};

    if (!path)
        return -1;
    if (geteuid() != 0)
        return err_set(err, OUTCOME_FAILED, "only root can ask a drive");
    if (s->drive > 0)
        return err_set(err, OUTCOME_FAILED, "the drive has not answered the last question yet");
    s->drive = spawn(path, argv, map, 2, err);
    if (s->drive < 0)
        s->drive = 0;
    return s->drive > 0 ? 0 : -1;
}

int
supervisor_ask(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_ASKED};
    struct err err = ERR_INIT;
    struct stat st;

    (void)m;
    if (n != 1 || !s->device || fstat(fds[0], &st) != 0 || !S_ISFIFO(st.st_mode))
        return -1;
    return start_drive(s, fds[0], &err) != 0 ? supervisor_refuse(&err) : supervisor_reply(&out);
}

void
supervisor_reap_drive(struct supervisor *s)
{
    if (s->drive > 0 && waitpid(s->drive, NULL, WNOHANG) == s->drive)
        s->drive = 0;
}

void
supervisor_end_drive(struct supervisor *s)
{
    if (s->drive > 0)
        (void)kill(s->drive, SIGKILL);
}
