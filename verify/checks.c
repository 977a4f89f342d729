#include "verify/checks.h"

#include <stdarg.h>

#include "common/cleanup.h"
#include "common/text.h"

#define PROBLEMS_NAMED 5

static const struct {
    const char *name;
    void (*run)(const struct check_input *in, struct check *c);
} table[CHECK_COUNT] = {
    [CHECK_SEGMENTS] = {"segments", check_segments},
    [CHECK_STRUCTURE] = {"structure", check_structure},
    [CHECK_CHUNKS] = {"chunks", check_chunks},
    [CHECK_MEDIA_HASH] = {"media-hash", check_media_hash},
    [CHECK_STORED_HASH] = {"stored-hash", check_stored_hash},
    [CHECK_PIECEWISE] = {"piecewise", check_piecewise},
    [CHECK_MAP] = {"map", check_map},
    [CHECK_SIGNATURE] = {"signature", check_signature},
    [CHECK_TIMESTAMP] = {"timestamp", check_timestamp},
    [CHECK_LEDGER] = {"ledger", check_ledger},
    [CHECK_SOURCE] = {"source", check_source},
};

const char *
check_name(enum check_id id)
{
    return table[id].name;
}

int
check_by_name(const char *name)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (strcmp(name, table[i].name) == 0)
            return i;
    }
    return -1;
}

const char *
check_status_name(enum check_status status)
{
    static const char *const names[] = {"not-run", "passed", "failed"};

    return names[status];
}

const char *
verdict_name(enum verdict v)
{
    static const char *const names[] = {"passed", "failed", "incomplete", "unreferenced"};

    return names[v];
}

static void set_detail(struct check *c, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
set_detail(struct check *c, const char *fmt, va_list ap)
{
    free(c->detail);
    if (vasprintf(&c->detail, fmt, ap) < 0)
        c->detail = NULL;
}

void
check_fail(struct check *c, bool incomplete, const char *fmt, ...)
{
    AUTO_FREE char *before = c->status == STATUS_FAILED ? c->detail : NULL;
    AUTO_FREE char *text = NULL;
    va_list ap;

    if (c->status == STATUS_FAILED) {
        c->incomplete = c->incomplete && incomplete;
        c->detail = NULL;
    } else {
        c->incomplete = incomplete;
    }
    c->status = STATUS_FAILED;
    c->reference = false;
    if (c->n_problems++ >= PROBLEMS_NAMED) {
        c->detail = before;
        before = NULL;
        return;
    }
    va_start(ap, fmt);
    set_detail(c, fmt, ap);
    va_end(ap);
    if (!before)
        return;
    text = c->detail;
    c->detail = xasprintf("%s; %s", before, text ? text : "");
}

void
check_pass(struct check *c, const char *fmt, ...)
{
    va_list ap;

    c->status = STATUS_PASSED;
    va_start(ap, fmt);
    set_detail(c, fmt, ap);
    va_end(ap);
}

void
check_skip(struct check *c, const char *fmt, ...)
{
    va_list ap;

    c->status = STATUS_NOT_RUN;
    va_start(ap, fmt);
    set_detail(c, fmt, ap);
    va_end(ap);
}

/* What was demanded must have been checked. */
static void
apply_require(struct check *c)
{
    AUTO_FREE char *why = NULL;

    if (c->status != STATUS_NOT_RUN)
        return;
    why = c->detail;
    c->detail = NULL;
    check_fail(c, false, "required, but not run: %s", why ? why : "");
}

void
checks_run(const struct check_input *in, struct check *checks)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        struct check *c = &checks[i];

        *c = (struct check){0};
        table[i].run(in, c);
        if (c->n_problems > PROBLEMS_NAMED) {
            char *named = c->detail;

            c->detail = xasprintf("%s; and %zu more", named, c->n_problems - PROBLEMS_NAMED);
            free(named);
        }
        if (in->require[i])
            apply_require(c);
    }
}

void
checks_free(struct check *checks)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        free(checks[i].target);
        free(checks[i].detail);
        ranges_free(&checks[i].ranges);
        for (size_t k = 0; k < checks[i].n_places; k++)
            free(checks[i].places[k].segment);
        free(checks[i].places);
    }
}

void
check_place(struct check *c, const char *segment, uint64_t file_offset, struct range media)
{
    if (c->n_places == CHECK_PLACES_MAX)
        return;
    if (!c->places)
        c->places = xcalloc(CHECK_PLACES_MAX, sizeof *c->places);
    c->places[c->n_places++] = (struct check_place){
        .segment = segment ? xstrdup(segment) : NULL, .file_offset = file_offset, .media = media};
}

enum verdict
checks_verdict(const struct check *checks)
{
    bool incomplete = false;
    bool reference = false;

    for (int i = 0; i < CHECK_COUNT; i++) {
        if (checks[i].status == STATUS_FAILED && !checks[i].incomplete)
            return VERDICT_FAILED;
        incomplete = incomplete || checks[i].status == STATUS_FAILED;
        reference = reference || checks[i].reference;
    }
    if (incomplete)
        return VERDICT_INCOMPLETE;
    return reference ? VERDICT_PASSED : VERDICT_UNREFERENCED;
}
