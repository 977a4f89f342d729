/*
 * BASE.copies.jsonl: one JSON object a line, each a copy that was made and checked. The lines have
 * what an entry in a custody ledger needs (what, when, by whom, from where to where, which hashes).
 */
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"
#include "verify/copy.h"

#define RECORD_MAX ((size_t)16 << 20)

static json_t *
files_json(const struct copy *c)
{
    static const char *const words[] = {
        [COPY_PENDING] = "pending",
        [COPY_KEPT] = "kept",
        [COPY_RESUMED] = "resumed",
        [COPY_COPIED] = "copied",
    };
    json_t *array = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const struct copy_file *f = &c->files[i];
        json_t *o = json_object();

        json_set_text(o, "file", f->name);
        json_set_u64(o, "size", f->size);
        json_set_text(o, "md5", f->md5);
        json_set_text(o, "sha256", f->sha256);
        json_set_text(o, "action", words[f->state]);
        json_set_text(o, "read_back_from", f->from_medium ? "medium" : "page-cache");
        if (f->listed)
            json_set_bool(o, "as_in_manifest", !f->differs);
        (void)json_array_append_new(array, o);
    }
    return array;
}

static json_t *
missing_json(const struct image_info *info)
{
    json_t *array = json_array();

    for (size_t i = 0; i < info->n_segments; i++) {
        const char *slash = strrchr(info->segments[i].path, '/');

        if (!info->segments[i].present)
            (void)json_array_append_new(
                array, json_string_nocheck(slash ? slash + 1 : info->segments[i].path));
    }
    return array;
}

json_t *
copy_record_json(const struct copy *c, const struct copy_record *r)
{
    json_t *o = json_object();
    json_t *user = json_object();
    json_t *host = json_object();
    json_t *tool = json_object();
    struct utsname u = {0};
    char now[CLOCK_TEXT_MAX];

    (void)uname(&u);
    json_set_text(o, "schema", COPY_RECORD_SCHEMA);
    json_set_text(o, "time", clock_text(clock_now(), now));
    json_set_text(o, "action", "copy");
    json_set_text(o, "image", r->operand);
    json_set_text(o, "from", c->n_dirs > 0 && *c->dir_names[0] ? c->dir_names[0] : ".");
    json_set_text(o, "to", c->to_path);
    json_set_u64(user, "uid", (uint64_t)r->uid);
    json_set_text(user, "name", r->user);
    (void)json_object_set_new(o, "user", user);
    json_set_text(host, "name", u.nodename);
    (void)json_object_set_new(o, "host", host);
    json_set_text(tool, "name", "Exhibit");
    json_set_text(tool, "version", EXHIBIT_VERSION);
    (void)json_object_set_new(o, "tool", tool);
    json_set_text(o, "command_line", r->command_line);
    json_set_text(o, "manifest", r->location->manifest_path);
    (void)json_object_set_new(o, "files", files_json(c));
    (void)json_object_set_new(o, "missing", missing_json(r->info));
    json_set_text(o, "verified", "passed"); /* nothing else gets here */
    return o;
}

/* The record as it is there, else the source's own: it goes along with the image. */
static char *
earlier_lines(const struct copy *c, const char *name, struct err *err)
{
    int dirs[2] = {c->to, c->n_dirs > 0 ? c->dirs[0] : -1};

    for (size_t i = 0; i < 2; i++) {
        size_t n;
        char *text;

        if (dirs[i] < 0 || faccessat(dirs[i], name, F_OK, 0) != 0)
            continue;
        text = infile_read(dirs[i], name, RECORD_MAX, &n, err);
        if (text && n > 0 && text[n - 1] != '\n') { /* a line that was cut off is left as it is */
            char *whole = xasprintf("%s\n", text);

            free(text);
            return whole;
        }
        return text;
    }
    return xstrdup("");
}

int
copy_record(const struct copy *c, const struct copy_record *r, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s%s", c->base, COPY_RECORD_SUFFIX);
    AUTO_FREE char *before = earlier_lines(c, name, err);
    json_t *o;
    AUTO_FREE char *line = NULL;
    AUTO_FREE char *text = NULL;

    if (!before)
        return -1;
    o = copy_record_json(c, r);
    line = json_to_line(o);
    json_decref(o);
    text = xasprintf("%s%s\n", before, line);
    return outfile_write(c->to, name, text, strlen(text), true, err);
}
