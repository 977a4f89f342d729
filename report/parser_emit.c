#include "report/parser_emit.h"

#include <stdarg.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#define PROGRESS_INTERVAL UINT64_C(250000000)

json_t *
emit_new(const char *kind)
{
    json_t *message = json_object();

    json_set_text(message, "kind", kind);
    return message;
}

void
emit_text(json_t *message, const char *key, const char *s)
{
    if (s) {
        AUTO_FREE char *cut = xstrndup(s, EMIT_TEXT_MAX);

        json_set_text(message, key, cut);
    }
}

void
emit_send(json_t *message)
{
    AUTO_FREE char *line = json_to_line(message);

    json_decref(message);
    /* A reader that is gone has no use for the rest. */
    if (puts(line) == EOF || fflush(stdout) != 0)
        _exit(1);
}

void
emit_finding(const char *code, const char *fmt, ...)
{
    json_t *message = emit_new("finding");
    AUTO_FREE char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    json_set_text(message, "code", code);
    emit_text(message, "text", text ? text : "out of memory");
    emit_send(message);
}

void
emit_progress(uint64_t done, uint64_t total)
{
    static uint64_t last; /* the child has one thread */
    uint64_t now = clock_monotonic_ns();
    json_t *message;

    if (now - last < PROGRESS_INTERVAL)
        return;
    last = now;
    message = emit_new("progress");
    json_set_u64(message, "done", done);
    json_set_u64(message, "total", total);
    emit_send(message);
}
