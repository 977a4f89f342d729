#define EXHIBIT_ERR_C
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>

#include "common/cleanup.h"
#include "common/text.h"

int
err_set(struct err *err, enum outcome outcome, const char *fmt, ...)
{
    va_list ap;

    err->outcome = outcome;
    err->sys = 0;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

int
err_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    size_t n;

    err->outcome = OUTCOME_FAILED;
    err->sys = saved;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(saved));
    return -1;
}

int
err_context(struct err *err, const char *fmt, ...)
{
    char old[sizeof err->text];
    va_list ap;
    size_t n;

    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof err->text - n, ": %s", old);
    return -1;
}

int
err_report(const struct err *err)
{
    AUTO_FREE char *safe = text_printable(err->text);

    (void)fprintf(stderr, "exhibit: %s\n", safe);
    return (int)err->outcome;
}
