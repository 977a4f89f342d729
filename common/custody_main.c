/*
 * exhibit-custody: the ledger of an image, to read and to add to.
 */
#include <inttypes.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/custody.h"
#include "common/json.h"
#include "common/options.h"
#include "common/signing_options.h"
#include "common/text.h"

enum {
    OPT_ACTION = 1,
    OPT_FROM,
    OPT_TO,
    OPT_PLACE,
    OPT_REASON,
    OPT_JSON,
};

static const struct option_spec option_table[] = {
    {"action", 0, "ACTION", OPT_ACTION,
     "add: what was done: transferred, moved, returned,\nopened or another word"},
    {"from", 0, "NAME", OPT_FROM, "add: who released it"},
    {"to", 0, "NAME", OPT_TO, "add: who received it"},
    {"place", 0, "TEXT", OPT_PLACE, "add: where"},
    {"reason", 0, "TEXT", OPT_REASON, "add: why"},
    SIGNING_OPTIONS,
    {"json", 0, NULL, OPT_JSON, "list: print one JSON document"},
};

static const struct program program = {
    .name = "exhibit custody",
    .usage = "add|list|head DEST [options]",
    .summary = "Adds an event to the ledger of an image, lists it, or prints its head: a hash\n"
               "that, noted elsewhere, shows later that nothing was taken off the end.",
    .options = option_table,
    .n_options = sizeof option_table / sizeof option_table[0],
};

struct settings {
    const char *action, *from, *to, *place, *reason;
    struct signer_spec signer;
    bool json;
};

#define ACTION_MAX 32

/* What Exhibit's own programs record with what they have seen; nobody may claim it by hand. */
static const char *const own_actions[] = {"acquired", "signed", "timestamped", "verified",
                                          "copied"};

static int
check_action(const char *action, struct err *err)
{
    size_t n = strspn(action, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (n == 0 || n > ACTION_MAX || action[n] != '\0')
        return err_set(err, OUTCOME_USAGE,
                       "action '%s' is not a word of lower-case letters, digits and hyphens",
                       action);
    for (size_t i = 0; i < sizeof own_actions / sizeof own_actions[0]; i++) {
        if (strcmp(action, own_actions[i]) == 0)
            return err_set(err, OUTCOME_USAGE,
                           "action '%s' is recorded by the program that does it", action);
    }
    return 0;
}

static int
take_option(struct settings *s, int id, const char *arg, struct err *err)
{
    int r = signing_option(&s->signer, id, arg, err);

    if (r != 0)
        return r < 0 ? -1 : 0;
    switch (id) {
    case OPT_ACTION:
        s->action = arg;
        return check_action(arg, err);
    case OPT_FROM:
        s->from = arg;
        return 0;
    case OPT_TO:
        s->to = arg;
        return 0;
    case OPT_PLACE:
        s->place = arg;
        return 0;
    case OPT_REASON:
        s->reason = arg;
        return 0;
    default:
        s->json = true;
        return 0;
    }
}

static int
parse(struct options *o, struct settings *s, struct err *err)
{
    const char *arg;
    int id;

    while ((id = options_next(o, &arg, err)) > 0) {
        if (take_option(s, id, arg, err) != 0)
            return -1;
    }
    return id == 0 ? signing_check(&s->signer, err) : -1;
}

/* --- add --- */

static void
set_if(json_t *event, const char *key, const char *value)
{
    if (value)
        json_set_text(event, key, value);
}

static int
add(const struct settings *s, const struct custody *c, struct err *err)
{
    struct signer *by = NULL;
    char head[LEDGER_HASH_MAX];
    json_t *event;
    int r;

    if (!s->action)
        return err_set(err, OUTCOME_USAGE, "what was done? '--action' says it");
    if (s->signer.key && !(by = signer_load(&s->signer, err)))
        return -1;
    event = ledger_event(s->action);
    set_if(event, "from", s->from);
    set_if(event, "to", s->to);
    set_if(event, "place", s->place);
    set_if(event, "reason", s->reason);
    set_if(event, "signer", by ? signer_name(by) : NULL);
    r = custody_record(c, event, by, head, err);
    signer_free(by);
    if (r == 0)
        (void)printf("recorded; the head of the ledger is %s\n", head);
    return r;
}

/* --- list and head --- */

static void
print_field(const json_t *event, const char *key, const char *label)
{
    const char *value = json_text_or_null(event, key);
    AUTO_FREE char *safe = value ? text_printable(value) : NULL;

    if (safe)
        (void)printf("       %-10s %s\n", label, safe);
}

static void
print_line(const struct ledger_line *l)
{
    static const struct {
        const char *key, *label;
    } fields[] = {
        {"from", "from"},       {"to", "to"},           {"place", "place"},
        {"reason", "reason"},   {"signer", "signer"},   {"authority", "authority"},
        {"stamped", "stamped"}, {"verdict", "verdict"}, {"copy", "copy"},
    };
    const json_t *user = json_object_get(l->event, "user");
    const char *name = json_text_or_null(user, "name");
    const char *host = json_text_or_null(l->event, "host");
    const char *time = json_text_or_null(l->event, "time");
    AUTO_FREE char *safe_time = text_printable(time ? time : "at no time");
    AUTO_FREE char *safe_action = text_printable(json_text_or_null(l->event, "action"));
    AUTO_FREE char *safe_name = text_printable(name ? name : "nobody");
    AUTO_FREE char *safe_host = text_printable(host ? host : "");

    (void)printf("%5" PRIi64 "  %s  %s, by %s@%s%s\n",
                 (int64_t)json_integer_value(json_object_get(l->event, "line")), safe_time,
                 safe_action, safe_name, safe_host, l->signed_length ? " (signed)" : "");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        print_field(l->event, fields[i].key, fields[i].label);
}

static void
print_json(const struct ledger *l)
{
    json_t *v = json_object();
    json_t *events = json_array();
    AUTO_FREE char *text = NULL;

    for (size_t i = 0; i < l->n; i++)
        (void)json_array_append(events, l->v[i].event);
    (void)json_object_set_new(v, "events", events);
    json_set_text(v, "head", l->n > 0 ? l->v[l->n - 1].hash : NULL);
    json_set_bool(v, "intact", !l->broken && l->torn == 0);
    json_set_text(v, "broken", l->broken ? l->why : NULL);
    json_set_u64(v, "torn_bytes", l->torn);
    text = json_to_text(v);
    (void)fputs(text, stdout);
    json_decref(v);
}

/* What does not fit is a finding, printed after what does. */
static int
conclude(const struct custody *c, const struct ledger *l, struct err *err)
{
    if (l->broken)
        return err_set(err, OUTCOME_FINDINGS, "the ledger '%s' is broken: %s", c->ledger, l->why);
    if (l->torn > 0)
        return err_set(err, OUTCOME_FINDINGS,
                       "the last line of '%s' was never whole: %zu bytes; the next event cuts them "
                       "off",
                       c->ledger, l->torn);
    return 0;
}

static int
list(const struct settings *s, const struct custody *c, struct err *err)
{
    struct ledger l;
    int r;

    if (ledger_read(c->dir, c->ledger, &l, err) != 0)
        return -1;
    if (s->json) {
        print_json(&l);
    } else {
        for (size_t i = 0; i < l.n; i++)
            print_line(&l.v[i]);
    }
    r = conclude(c, &l, err);
    ledger_clear(&l);
    return r;
}

static int
head(const struct settings *s, const struct custody *c, struct err *err)
{
    struct ledger l;
    int r;

    (void)s;
    if (ledger_read(c->dir, c->ledger, &l, err) != 0)
        return -1;
    r = conclude(c, &l, err);
    if (r == 0 && l.n == 0)
        r = err_set(err, OUTCOME_FINDINGS, "the ledger '%s' is empty", c->ledger);
    if (r == 0)
        (void)puts(l.v[l.n - 1].hash);
    ledger_clear(&l);
    return r;
}

static int
run(const struct settings *s, char **operands, int count, struct err *err)
{
    static const struct {
        const char *name;
        int (*run)(const struct settings *, const struct custody *, struct err *);
    } verbs[] = {{"add", add}, {"list", list}, {"head", head}};
    struct custody c;
    int r;

    if (count != 2)
        return err_set(err, OUTCOME_USAGE,
                       "add, list or head, and DEST; see 'exhibit custody --help'");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(operands[0], verbs[i].name) != 0)
            continue;
        r = custody_open(&c, operands[1], err);
        if (r == 0)
            r = verbs[i].run(s, &c, err);
        custody_close(&c);
        return r;
    }
    return err_set(err, OUTCOME_USAGE, "'%s' is not add, list or head", operands[0]);
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct settings s = {.signer = SIGNER_SPEC_NONE};
    struct err err = ERR_INIT;
    char **operands;
    int count;
    int r;

    console_begin();
    r = parse(o, &s, &err);
    operands = options_operands(o, &count);
    if (r == 0)
        r = run(&s, operands, count, &err);
    options_free(o);
    return console_end(r == 0 ? 0 : err_report(&err));
}
