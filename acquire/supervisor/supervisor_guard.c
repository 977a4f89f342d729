/*
 * What the guard has refused, for the record and the front.
 */
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "acquire/device/device_sysfs.h"
#include "acquire/supervisor/bpf/guard_shared.h"
#include "acquire/supervisor/supervisor.h"

#define EVENTS_AT_ONCE 32
/* Whoever tries without a pause must not keep the supervisor from its front: what is not told now
   is told in the next round, or counted. */
#define ROUNDS_MAX (GUARD_EVENTS_KEPT / EVENTS_AT_ONCE)

/* The wall clock's time of something that happened `boot_ns` after the machine was started. */
static int64_t
epoch_of(uint64_t boot_ns)
{
    struct timespec now = {0};
    struct timespec boot = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    return now.tv_sec - boot.tv_sec + (int64_t)(boot_ns / 1000000000);
}

static void
name_node(const struct guard_event *e, char *out, size_t size)
{
    char path[64], dir[PATH_MAX];
    const char *slash;

    (void)snprintf(path, sizeof path, "/sys/dev/%s/%u:%u", e->character ? "char" : "block",
                   major(e->device), minor(e->device));
    slash = realpath(path, dir) ? strrchr(dir, '/') : NULL;
    (void)snprintf(out, size, "%s", slash ? slash + 1 : "");
}

static void
note(struct supervisor *s, const struct guard_event *e)
{
    struct supervisor_attempt a = {
        .when = epoch_of(e->boot_ns),
        .device = (uint64_t)e->device,
        .pid = (int32_t)e->pid,
        .uid = e->uid,
    };

    (void)snprintf(a.name, sizeof a.name, "%s", e->comm);
    guard_event_text(e, a.what, sizeof a.what);
    name_node(e, a.node, sizeof a.node);
    supervisor_note_attempt(s, &a);
}

void
supervisor_hear_guard(struct supervisor *s)
{
    struct guard_event events[EVENTS_AT_ONCE];
    uint64_t refused = 0;
    size_t n = EVENTS_AT_ONCE;

    if (!s->guard)
        return;
    for (int round = 0; round < ROUNDS_MAX && n == EVENTS_AT_ONCE; round++) {
        n = guard_events(s->guard, events, EVENTS_AT_ONCE, &refused);
        for (size_t i = 0; i < n; i++)
            note(s, &events[i]);
    }
    s->record.refused = refused;
}
