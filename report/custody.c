#include "report/custody.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"

#define LEDGER_BYTES_MAX ((size_t)16 << 20)
#define ENTRIES_MAX 10000

static const json_t *
first_of(const json_t *entry, const char *const *names)
{
    const json_t *inner = json_object_get(entry, "event");

    for (; *names; names++) {
        const json_t *v = json_object_get(entry, *names);

        if (!v && json_is_object(inner))
            v = json_object_get(inner, *names);
        if (v && !json_is_null(v))
            return v;
    }
    return NULL;
}

void
custody_event_of(const json_t *entry, struct custody_event *out)
{
    static const char *const when[] = {"time", "when", "date", NULL};
    static const char *const action[] = {"action", "event", NULL};
    static const char *const from[] = {"from", "released_by", NULL};
    static const char *const to[] = {"to", "received_by", NULL};
    static const char *const place[] = {"place", "location", NULL};
    static const char *const reason[] = {"reason", "purpose", NULL};
    static const char *const user[] = {"user", "by", NULL};

    *out = (struct custody_event){
        first_of(entry, when),  first_of(entry, action), first_of(entry, from), first_of(entry, to),
        first_of(entry, place), first_of(entry, reason), first_of(entry, user)};
    if (json_is_object(out->action))
        out->action = NULL;
}

bool
custody_is_transfer(const struct custody_event *e)
{
    return e->from || e->to;
}

char *
custody_user(const struct custody_event *e)
{
    const char *name = json_text_or_null(e->user, "name");
    const json_t *uid = json_object_get(e->user, "uid");

    if (json_is_string(e->user))
        return xstrdup(json_string_value(e->user));
    if (!name)
        return NULL;
    if (!json_is_integer(uid))
        return xstrdup(name);
    return xasprintf("%s (user ID %" JSON_INTEGER_FORMAT ")", name, json_integer_value(uid));
}

static bool
is_blank(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return true;
}

static void
take_lines(struct report *r, const char *name, const char *data, size_t n)
{
    const char *stop = data + n;
    size_t number = 0;

    for (const char *s = data; s < stop;) {
        const char *newline = memchr(s, '\n', (size_t)(stop - s));
        size_t length = (size_t)((newline ? newline : stop) - s);
        json_error_t why;
        json_t *entry;

        number++;
        if (!is_blank(s, length)) {
            entry = json_loadb(s, length, JSON_REJECT_DUPLICATES, &why);
            if (json_array_size(r->custody) == ENTRIES_MAX || !json_is_object(entry)) {
                report_finding(r, "custody", name, "line %zu of the ledger %s", number,
                               entry ? "and what follows is left out" : "is not a JSON object");
                json_decref(entry);
                return;
            }
            (void)json_array_append_new(r->custody, entry);
        }
        s += length + 1;
    }
}

void
custody_read(struct report *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct err err = ERR_INIT;
    AUTO_FREE char *data = NULL;
    size_t n;

    if (access(path, F_OK) != 0)
        return;
    r->custody = json_array();
    data = infile_read(AT_FDCWD, path, LEDGER_BYTES_MAX, &n, &err);
    if (!data)
        report_finding(r, "custody", name, "%s", err.text);
    else
        take_lines(r, name, data, n);
}
