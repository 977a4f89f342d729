#include "acquire/front/protection.h"

#include <inttypes.h>

#include "acquire/supervisor/record.h"
#include "acquire/supervisor/write_block.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

static void
fact(const struct acquisition *a, const char *name, const char *value)
{
    if (value && *value)
        joblog_line(a->log, "  %-22s %s", name, value);
}

void
protection_log_begin(const struct acquisition *a)
{
    joblog_line(a->log, "Write block");
    if (!a->device) {
        fact(a, "level", "none (the source is a file, opened for reading only)");
        return;
    }
    fact(a, "level", write_block_level_name((enum write_block_level)a->opened.level));
    if (*a->opened.guard_missing)
        joblog_line(a->log, "  %-22s none: %s", "guard in the kernel", a->opened.guard_missing);
    fact(a, "hardware blocker", a->options.hardware_blocker);
    joblog_line(a->log,
                "  %-22s before: %" PRIu32 " of %" PRIu32 " nodes, now: %" PRIu32 " of %" PRIu32,
                "read-only flag", a->opened.before.read_only, a->opened.before.nodes,
                a->opened.now.read_only, a->opened.now.nodes);
    if (a->opened.monitor.available)
        fact(a, "I/O monitor", "counts every request to the disk");
    else
        joblog_line(a->log, "  %-22s none: %s", "I/O monitor", a->opened.monitor_missing);
}

void
protection_hear(struct acquisition *a)
{
    struct supervisor_attempt v;

    while (a->session && session_next_attempt(a->session, &v)) {
        AUTO_FREE char *name = text_printable(v.name);

        joblog_event(a->log, "refused to process %" PRId32 " (%s, uid %" PRIu32 "): %s%s%s", v.pid,
                     name, v.uid, v.what, *v.node ? " on " : "", v.node);
        if (!a->attempts)
            a->attempts = xcalloc(SUPERVISOR_ATTEMPTS_MAX, sizeof *a->attempts);
        if (a->n_attempts < SUPERVISOR_ATTEMPTS_MAX)
            a->attempts[a->n_attempts++] = v;
        if (a->n_attempts == SUPERVISOR_ATTEMPTS_MAX)
            joblog_event(a->log, "further attempts are only counted");
    }
}

/* What was found is the last that is known; what has changed for the worse is told. */
static void
take(struct acquisition *a, const struct supervisor_message *m)
{
    bool guard_lost = m->guard_lost && !a->last.guard_lost;
    bool flag_lost = m->lost > a->last.lost;
    const char *then = flag_is_full(&m->now) ? "it was set again" : "it could not be set again";

    a->last = *m;
    if (guard_lost || flag_lost)
        progress_clear(a->progress);
    if (guard_lost) {
        joblog_event(a->log, "the guard in the kernel has been taken away");
        (void)fputs("exhibit: warning: something has taken the source's guard in the kernel away\n",
                    stderr);
    }
    if (flag_lost) {
        a->flag_lost = true;
        joblog_event(a->log, "the read-only flag had been cleared; %s", then);
        (void)fprintf(stderr,
                      "exhibit: warning: the read-only flag of the source had been cleared by "
                      "something; %s\n",
                      then);
    }
}

int
protection_look(struct acquisition *a, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_CHECK};

    if (session_ask(a->session, &m, NULL, 0, SUPERVISOR_CHECKED, err) != 0)
        return -1;
    take(a, &m);
    protection_hear(a);
    return 0;
}

/* A disk that has gone since is no matter any more: only the counts are taken. */
void
protection_end(struct acquisition *a)
{
    struct supervisor_message m = {.type = SUPERVISOR_CHECK};
    const struct monitor_counts *c = &a->last.monitor;
    struct err ignored = ERR_INIT;

    if (!a->device)
        return;
    if (session_ask(a->session, &m, NULL, 0, SUPERVISOR_CHECKED, &ignored) == 0) {
        if (m.size == a->source_size && m.diskseq == a->device->diskseq)
            take(a, &m);
        a->last.monitor = m.monitor;
        a->last.refused = m.refused;
    }
    protection_hear(a);
    if (a->opened.guarded)
        joblog_event(a->log, "%" PRIu64 " attempts to change the source were refused",
                     a->last.refused);
    if (!c->available)
        return;
    joblog_event(a->log,
                 "the disk was sent %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64
                 " flushes, %" PRIu64 " discards, %" PRIu64 " commands passed through",
                 c->reads, c->writes, c->flushes, c->discards, c->passthrough);
}

static json_t *
attempts_json(const struct acquisition *a)
{
    json_t *list = json_array();

    for (size_t i = 0; i < a->n_attempts; i++) {
        const struct supervisor_attempt *v = &a->attempts[i];
        json_t *one = json_object();
        char time[CLOCK_TEXT_MAX];

        json_set_text(one, "time", clock_text(v->when, time));
        (void)json_object_set_new(one, "pid", json_integer(v->pid));
        json_set_u64(one, "uid", v->uid);
        json_set_text(one, "name", v->name);
        json_set_text(one, "what", v->what);
        json_set_text(one, "node", v->node);
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *
monitor_json(const struct acquisition *a)
{
    const struct monitor_counts *c = &a->last.monitor;
    const struct {
        const char *name;
        uint64_t value;
        bool known;
    } counts[] = {
        {"reads", c->reads, c->available},
        {"writes", c->writes, c->available},
        {"flushes", c->flushes, c->available},
        {"discards", c->discards, c->available},
        {"passthrough", c->passthrough, c->available},
        {"internal", c->internal, c->available},
        {"refused", a->last.refused, a->opened.guarded},
    };
    json_t *v = json_object();

    json_set_bool(v, "available", c->available);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].known)
            json_set_u64(v, counts[i].name, counts[i].value);
        else
            json_set_text(v, counts[i].name, NULL);
    }
    if (a->opened.guarded)
        (void)json_object_set_new(v, "attempts", attempts_json(a));
    json_set_text(v, "missing", a->device && !c->available ? a->opened.monitor_missing : NULL);
    return v;
}

json_t *
protection_json(const struct acquisition *a)
{
    json_t *v = json_object();
    json_t *flag =
        a->device ? json_object() : json_pack("{s:n, s:n, s:n}", "before", "during", "after");

    json_set_text(v, "level",
                  a->device ? write_block_level_name((enum write_block_level)a->opened.level)
                            : "none");
    if (a->device) {
        json_set_bool(flag, "before", flag_is_full(&a->opened.before));
        json_set_bool(flag, "during", flag_is_full(&a->opened.now) && !a->flag_lost);
        json_set_bool(flag, "after", flag_is_full(&a->last.now));
        json_set_u64(flag, "nodes", a->opened.now.nodes);
        json_set_u64(flag, "lost", a->last.lost);
    }
    (void)json_object_set_new(v, "read_only_flag", flag);
    json_set_text(v, "hardware_blocker",
                  a->options.hardware_blocker && *a->options.hardware_blocker
                      ? a->options.hardware_blocker
                      : NULL);
    if (a->opened.guarded)
        json_set_bool(v, "guard_lost", a->last.guard_lost);
    json_set_text(v, "guard_missing",
                  a->device && *a->opened.guard_missing ? a->opened.guard_missing : NULL);
    (void)json_object_set_new(v, "monitor", monitor_json(a));
    return v;
}
