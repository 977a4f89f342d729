#include "acquire/front/source_facts.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "acquire/device/drive_health.h"
#include "acquire/front/acquisition.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

/* The supervisor starts exhibit-drive, which writes into our pipe. */
static void
ask(struct acquisition *a, struct drive_reply *out)
{
    struct supervisor_message m = {.type = SUPERVISOR_ASK};
    struct err err = ERR_INIT;
    int fds[2];
    int r;

    if (!drive_is_asked(a->device) || pipe2(fds, O_CLOEXEC) != 0)
        return;
    r = session_ask(a->session, &m, &fds[1], 1, SUPERVISOR_ASKED, &err);
    (void)close(fds[1]);
    if (r == 0)
        drive_reply_read(fds[0], true, out);
    else
        (void)snprintf(out->why, sizeof out->why, "%.200s", err.text);
    out->asked = true;
    (void)close(fds[0]);
}

struct source_facts *
source_facts_begin(struct acquisition *a)
{
    struct source_facts *f;

    if (!a->device)
        return NULL;
    f = xcalloc(1, sizeof *f);
    device_identity_read(a->device, &f->identity);
    ask(a, &f->before);
    return f;
}

static void
log_health(const struct acquisition *a, const char *when, const struct drive_reply *reply)
{
    AUTO_FREE char *text = NULL;

    if (!reply->asked)
        return;
    text =
        reply->health ? drive_health_text(reply->health) : xasprintf("not known: %s", reply->why);
    joblog_event(a->log, "health of the drive %s: %s", when, text);
}

void
source_facts_end(struct acquisition *a)
{
    if (!a->facts)
        return;
    ask(a, &a->facts->after);
    log_health(a, "after the job", &a->facts->after);
}

static void
line(const struct acquisition *a, const char *name, const char *value)
{
    if (value)
        joblog_line(a->log, "  %-22s %s", name, value);
}

static void
log_drive(const struct acquisition *a, const struct source_facts *f)
{
    AUTO_FREE char *hpa = drive_hidden_text(&f->before, false);
    AUTO_FREE char *dco = drive_hidden_text(&f->before, true);
    AUTO_FREE char *bridge = drive_bridge_text(&f->before, a->device);
    AUTO_FREE char *health = NULL;

    if (!f->before.asked)
        return;
    line(a, "hidden, HPA", hpa);
    line(a, "hidden, DCO", dco);
    if (drive_hides(&f->before))
        line(a, "hidden sectors", DRIVE_HIDDEN_ADVICE);
    line(a, "between", bridge);
    if (drive_trims(a->device, &f->identity, &f->before))
        line(a, "TRIM", DRIVE_TRIM_ADVICE);
    health = f->before.health ? drive_health_text(f->before.health)
                              : xasprintf("not known: %s", f->before.why);
    line(a, "health", health);
}

void
source_facts_log(const struct acquisition *a)
{
    const struct source_facts *f = a->facts;
    AUTO_FREE char *usb = NULL;
    AUTO_FREE char *blocker = NULL;

    if (!f)
        return;
    usb = f->identity.usb.there ? drive_usb_text(&f->identity.usb) : NULL;
    blocker = drive_blocker_text(&f->identity);
    line(a, "USB", usb);
    line(a, "write blocker, by name", blocker);
    for (size_t i = 0; i < f->identity.n_areas; i++) {
        AUTO_FREE char *area = drive_area_text(&f->identity.areas[i]);

        line(a, "also of this item", area);
    }
    if (f->identity.more_areas)
        line(a, "also of this item", "and more");
    log_drive(a, f);
}

static void
warn(const char *what, const char *detail)
{
    AUTO_FREE char *safe = text_printable(detail);

    (void)fprintf(stderr, "exhibit: warning: %s%s\n", what, safe);
}

static void
warn_of_areas(const struct acquisition *a)
{
    const struct device_identity *i = &a->facts->identity;

    for (size_t k = 0; k < i->n_areas; k++) {
        AUTO_FREE char *area = drive_area_text(&i->areas[k]);

        if (i->areas[k].size > 0)
            warn("of the same item, and not in this image: ", area);
    }
}

void
source_facts_warn(const struct acquisition *a)
{
    const struct source_facts *f = a->facts;
    AUTO_FREE char *bridge = NULL;

    if (!f || a->options.quiet)
        return;
    bridge = drive_bridge_text(&f->before, a->device);
    warn_of_areas(a);
    if (drive_hides(&f->before)) {
        AUTO_FREE char *hpa = drive_hidden_text(&f->before, false);
        AUTO_FREE char *dco = drive_hidden_text(&f->before, true);
        AUTO_FREE char *text = xasprintf("HPA: %s; DCO: %s; ", hpa, dco);

        warn(text, DRIVE_HIDDEN_ADVICE);
    }
    if (bridge)
        warn("", bridge);
    if (json_is_false(json_object_get(f->before.health, "passed")))
        warn("the drive says of itself that it fails (SMART)", "");
    if (drive_trims(a->device, &f->identity, &f->before))
        warn("TRIM: ", DRIVE_TRIM_ADVICE);
}

/* null where nothing was found out, with a word beside it. */
static json_t *
smart_json(const struct source_facts *f)
{
    json_t *v;

    if (!f->before.health && !f->after.health)
        return json_null();
    v = json_object();
    (void)json_object_set_new(v, "before",
                              f->before.health ? json_incref(f->before.health) : json_null());
    (void)json_object_set_new(v, "after",
                              f->after.health ? json_incref(f->after.health) : json_null());
    return v;
}

void
source_facts_add(json_t *source, const struct acquisition *a)
{
    const struct source_facts *f = a->facts;

    if (!f) {
        /* null: not examined, which is not the same as none. */
        (void)json_object_set_new(source, "hidden", json_pack("{s:n, s:n}", "hpa", "dco"));
        (void)json_object_set_new(source, "smart", json_null());
        return;
    }
    drive_facts_add(source, a->device, &f->identity, &f->before);
    (void)json_object_set_new(source, "smart", smart_json(f));
    if (f->before.asked && f->before.why[0])
        json_set_text(source, "smart_note", f->before.why);
}

void
source_facts_free(struct source_facts *facts)
{
    if (!facts)
        return;
    drive_reply_clear(&facts->before);
    drive_reply_clear(&facts->after);
    free(facts);
}
