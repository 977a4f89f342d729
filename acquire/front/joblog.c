#include "acquire/front/joblog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/text.h"

#define LOGS_MAX 2

struct joblog {
    int fd[LOGS_MAX]; /* -1: dropped */
    size_t n;
    int failed[LOGS_MAX]; /* errno of the first write that failed, or 0 */
};

struct joblog *
joblog_new(void)
{
    struct joblog *log = xcalloc(1, sizeof *log);

    for (size_t i = 0; i < LOGS_MAX; i++)
        log->fd[i] = -1;
    return log;
}

int
joblog_add(struct joblog *log, int dir, const char *name, bool again, struct err *err)
{
    AUTO_FREE char *file = xasprintf("%s.log", name);
    int fd =
        openat(dir, file,
               O_WRONLY | O_CREAT | (again ? 0 : O_EXCL) | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return err_errno(err, "cannot create '%s'", file);
    log->fd[log->n++] = fd;
    return 0;
}

static void
put(struct joblog *log, const char *prefix, const char *text)
{
    AUTO_FREE char *safe = text_printable(text);
    AUTO_FREE char *line = xasprintf("%s%s\n", prefix, safe);
    size_t n = strlen(line);

    for (size_t i = 0; i < log->n; i++) {
        if (log->fd[i] >= 0 && write(log->fd[i], line, n) != (ssize_t)n && log->failed[i] == 0)
            log->failed[i] = errno ? errno : EIO;
    }
}

static char *format(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static char *
format(const char *fmt, va_list ap)
{
    char *text = NULL;

    return vasprintf(&text, fmt, ap) < 0 ? xstrdup("(out of memory)") : text;
}

void
joblog_event(struct joblog *log, const char *fmt, ...)
{
    char time[CLOCK_TEXT_MAX + 2];
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = format(fmt, ap);
    va_end(ap);
    (void)clock_text(clock_now(), time);
    memcpy(time + strlen(time), "  ", 3);
    put(log, time, text);
    free(text);
}

void
joblog_line(struct joblog *log, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = format(fmt, ap);
    va_end(ap);
    put(log, "", text);
    free(text);
}

int
joblog_sync(struct joblog *log, size_t i, struct err *err)
{
    if (log->fd[i] >= 0 && fsync(log->fd[i]) != 0 && log->failed[i] == 0)
        log->failed[i] = errno;
    if (log->failed[i] == 0)
        return 0;
    errno = log->failed[i];
    return err_errno(err, "cannot write the log");
}

void
joblog_drop(struct joblog *log, size_t i)
{
    if (log->fd[i] >= 0)
        (void)close(log->fd[i]);
    log->fd[i] = -1;
}

void
joblog_free(struct joblog *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->n; i++)
        joblog_drop(log, i);
    free(log);
}
