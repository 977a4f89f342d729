#include "report/form.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/size.h"
#include "common/text.h"
#include "report/stationery.h"

const char *const form_table_names[FORM_TABLES] = {"exhibit", "hashes", "transfers"};

static const json_t *
part(const struct form *f, const char *key)
{
    return json_object_get(f->report->facts, key);
}

static bool
text_is(const json_t *object, const char *key, const char *expected)
{
    const char *s = json_text_or_null(object, key);

    return s && strcmp(s, expected) == 0;
}

static uint64_t
number_of(const json_t *object, const char *key)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    return json_get_u64(object, key, &n, &err) == 0 ? n : 0;
}

/* --- conditions --- */

static bool
has_manifest(const struct form *f)
{
    return f->report->manifest_path;
}

static bool
is_unreadable(const struct form *f)
{
    return f->report->unreadable.n > 0;
}

static bool
is_verified(const struct form *f)
{
    return text_is(part(f, "verification"), "status", "passed");
}

static bool
is_failed(const struct form *f)
{
    return text_is(part(f, "verification"), "status", "failed");
}

static bool
has_hashes(const struct form *f)
{
    return json_object_size(json_object_get(part(f, "media"), "hashes")) > 0;
}

static bool
is_device(const struct form *f)
{
    return text_is(part(f, "source"), "kind", "device");
}

/* Less than the whole source was asked for. */
static bool
is_partial(const struct form *f)
{
    uint64_t size = number_of(part(f, "source"), "size");

    return number_of(part(f, "source"), "offset") > 0 || (size > 0 && f->report->media_size < size);
}

static bool
is_changed(const struct form *f)
{
    return json_is_true(json_object_get(part(f, "source"), "changed_during_acquisition"));
}

static bool
has_hidden(const struct form *f)
{
    const json_t *hidden = json_object_get(part(f, "source"), "hidden");

    return !fields_is_missing(json_object_get(hidden, "hpa")) &&
           !fields_is_missing(json_object_get(hidden, "dco"));
}

static bool
hides_sectors(const struct form *f)
{
    const json_t *hidden = json_object_get(part(f, "source"), "hidden");

    return number_of(hidden, "hpa") > 0 || number_of(hidden, "dco") > 0;
}

static bool
has_write_block(const struct form *f)
{
    const char *level = json_text_or_null(part(f, "write_block"), "level");

    return level && strcmp(level, "none") != 0;
}

static bool
has_no_write_block(const struct form *f)
{
    return text_is(part(f, "write_block"), "level", "none");
}

/* The image itself, as it is now, was found wanting. */
static bool
is_damaged(const struct form *f)
{
    for (size_t i = 0; i < f->report->n_findings; i++) {
        if (strncmp(f->report->findings[i].code, "image-", 6) == 0)
            return true;
    }
    return false;
}

static bool
has_ledger(const struct form *f)
{
    return f->report->custody;
}

static bool
is_resumed(const struct form *f)
{
    return json_array_size(json_object_get(part(f, "acquisition"), "resumed")) > 0;
}

static bool
has_findings(const struct form *f)
{
    return f->report->n_findings > 0;
}

static bool
has_deviations(const struct form *f)
{
    return json_array_size(f->report->deviations) > 0;
}

static bool
has_laboratory(const struct form *f)
{
    return f->stationery && f->stationery->laboratory;
}

static const struct {
    const char *name;
    bool (*is)(const struct form *f);
} conditions[] = {
    {"manifest", has_manifest},
    {"unreadable", is_unreadable},
    {"verified", is_verified},
    {"verification-failed", is_failed},
    {"hashes", has_hashes},
    {"device", is_device},
    {"partial", is_partial},
    {"changed", is_changed},
    {"hidden-areas-examined", has_hidden},
    {"hidden-sectors", hides_sectors},
    {"write-block", has_write_block},
    {"write-block-none", has_no_write_block},
    {"damaged", is_damaged},
    {"ledger", has_ledger},
    {"resumed", is_resumed},
    {"findings", has_findings},
    {"deviations", has_deviations},
    {"laboratory", has_laboratory},
};

static bool
same_name(const char *known, const char *name, size_t n)
{
    return strlen(known) == n && strncmp(known, name, n) == 0;
}

int
form_condition(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (same_name(conditions[i].name, name, n))
            return (int)i;
    }
    return -1;
}

bool
form_is(const struct form *f, int condition)
{
    return conditions[condition].is(f);
}

/* --- values --- */

static char *
copy_or_null(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

static char *
device_name(const struct form *f)
{
    const json_t *source = part(f, "source");
    const char *vendor = json_text_or_null(source, "vendor");
    const char *model = json_text_or_null(source, "model");

    if (!vendor && !model)
        return NULL;
    return xasprintf("%s%s%s", vendor ? vendor : "", vendor && model ? " " : "",
                     model ? model : "");
}

static char *
user_name(const struct form *f)
{
    const json_t *user = json_object_get(part(f, "case"), "user");
    const char *name = json_text_or_null(user, "name");

    if (!json_is_object(user))
        return NULL;
    return xasprintf("%s (user ID %" PRIu64 ")", name ? name : "without a name",
                     number_of(user, "uid"));
}

static char *
tool_name(const struct form *f)
{
    const json_t *tool = json_object_get(part(f, "acquisition"), "tool");
    const char *name = json_text_or_null(tool, "name");
    const char *version = json_text_or_null(tool, "version");

    if (name)
        return xasprintf("%s%s%s", name, version ? " " : "", version ? version : "");
    return copy_or_null(json_text_or_null(part(f, "acquisition"), "software_version"));
}

static char *
host_name(const struct form *f)
{
    return copy_or_null(json_text_or_null(json_object_get(part(f, "acquisition"), "host"), "name"));
}

/* "1,234" in a form that the caller frees. */
static char *
number_text(uint64_t n)
{
    char digits[24];
    char out[32];
    size_t o = 0;
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = '\0';
    return xstrdup(out);
}

static char *
media_size(const struct form *f)
{
    char human[SIZE_TEXT_MAX];
    char *number = number_text(f->report->media_size);
    char *text = xasprintf("%s bytes (%s)", number, size_human(f->report->media_size, human));

    free(number);
    return text;
}

static char *
unreadable_sectors(const struct form *f)
{
    return number_text(ranges_total(&f->report->unreadable) / f->report->sector_size);
}

static char *
unreadable_bytes(const struct form *f)
{
    return number_text(ranges_total(&f->report->unreadable));
}

static char *
unreadable_ranges(const struct form *f)
{
    return number_text(f->report->unreadable.n);
}

static char *
hash_names(const struct form *f)
{
    const json_t *hashes = json_object_get(part(f, "media"), "hashes");
    char *names = NULL;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)hashes, key, v)
    {
        char buf[FIELDS_LABEL_MAX];
        char *longer =
            xasprintf("%s%s%s", names ? names : "", names ? ", " : "", fields_label(key, buf));

        free(names);
        names = longer;
    }
    return names;
}

static char *
segment_count(const struct form *f)
{
    return number_text(json_array_size(json_object_get(part(f, "image"), "segments")));
}

static char *
report_name(const struct form *f)
{
    return xstrdup(f->report->name);
}

static char *
report_date(const struct form *f)
{
    return xstrdup(f->report->created);
}

static char *
laboratory(const struct form *f)
{
    return f->stationery ? copy_or_null(f->stationery->laboratory) : NULL;
}

static char *
address(const struct form *f)
{
    return f->stationery ? copy_or_null(f->stationery->address) : NULL;
}

/* Either a text of the manifest (object and key), or what a function makes of it. */
static const struct {
    const char *name;
    const char *object;
    const char *key;
    char *(*make)(const struct form *f);
} values[] = {
    {"case_number", "case", "case_number", NULL},
    {"evidence_number", "case", "evidence_number", NULL},
    {"description", "case", "description", NULL},
    {"examiner", "case", "examiner", NULL},
    {"notes", "case", "notes", NULL},
    {"user", NULL, NULL, user_name},
    {"source_path", "source", "path", NULL},
    {"serial", "source", "serial", NULL},
    {"device", NULL, NULL, device_name},
    {"write_block", "write_block", "level", NULL},
    {"hardware_blocker", "write_block", "hardware_blocker", NULL},
    {"started", "acquisition", "started", NULL},
    {"finished", "acquisition", "finished", NULL},
    {"tool", NULL, NULL, tool_name},
    {"host", NULL, NULL, host_name},
    {"media_size", NULL, NULL, media_size},
    {"segment_count", NULL, NULL, segment_count},
    {"hash_names", NULL, NULL, hash_names},
    {"unreadable_sectors", NULL, NULL, unreadable_sectors},
    {"unreadable_bytes", NULL, NULL, unreadable_bytes},
    {"unreadable_ranges", NULL, NULL, unreadable_ranges},
    {"verification_status", "verification", "status", NULL},
    {"verification_finished", "verification", "finished", NULL},
    {"read_from", "verification", "read_from", NULL},
    {"report_name", NULL, NULL, report_name},
    {"report_date", NULL, NULL, report_date},
    {"laboratory", NULL, NULL, laboratory},
    {"address", NULL, NULL, address},
};

bool
form_has_value(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (same_name(values[i].name, name, n))
            return true;
    }
    return n > 5 && strncmp(name, "meta.", 5) == 0;
}

static char *
meta_value(const struct form *f, const char *name, size_t n)
{
    char *key = xstrndup(name + 5, n - 5);
    const char *s = json_text_or_null(json_object_get(part(f, "case"), "meta"), key);

    free(key);
    return copy_or_null(s);
}

char *
form_value(const struct form *f, const char *name, size_t n)
{
    char *s = NULL;

    if (n > 5 && strncmp(name, "meta.", 5) == 0)
        s = meta_value(f, name, n);
    for (size_t i = 0; i < sizeof values / sizeof values[0] && !s; i++) {
        if (!same_name(values[i].name, name, n))
            continue;
        s = values[i].make
                ? values[i].make(f)
                : copy_or_null(json_text_or_null(part(f, values[i].object), values[i].key));
    }
    return s ? s : xstrdup("not recorded");
}

const struct form_row form_exhibit_rows[] = {
    {"case_number", "Case number"}, {"evidence_number", "Exhibit number"},
    {"meta.seal", "Seal number"},   {"description", "Description"},
    {"device", "Device"},           {"serial", "Serial number"},
    {"source_path", "Source"},      {"media_size", "Size of the media"},
    {"report_name", "Image"},       {"examiner", "Examiner (as stated)"},
    {"finished", "Imaged"},
};

const size_t form_exhibit_rows_n = sizeof form_exhibit_rows / sizeof form_exhibit_rows[0];

const char *
form_comparison(const struct form *f)
{
    if (is_verified(f))
        return "identical";
    return is_failed(f) ? "the image differs" : "not compared";
}
