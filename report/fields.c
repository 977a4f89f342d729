#include "report/fields.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

/* Fields of one object that are shown at most; the JSON report has all. */
#define FIELDS_MAX 80

static const char *const case_paths[] = {"case_number", "evidence_number",
                                         "meta.seal",   "meta.authority",
                                         "description", "examiner",
                                         "user",        "notes",
                                         "meta",        NULL};
static const char *const no_paths[] = {NULL};
static const char *const source_paths[] = {"path",
                                           "kind",
                                           "vendor",
                                           "model",
                                           "serial",
                                           "wwn",
                                           "firmware",
                                           "bus",
                                           "size",
                                           "offset",
                                           "sectors",
                                           "logical_sector_size",
                                           "physical_sector_size",
                                           "hidden.hpa",
                                           "hidden.dco",
                                           "smart",
                                           NULL};
static const char *const block_paths[] = {"level", "hardware_blocker", "read_only_flag", "monitor",
                                          NULL};
static const char *const acquisition_paths[] = {
    "started", "finished",     "clock", "mode", "passes",  "retries",
    "resumed", "command_line", "tool",  "host", "sandbox", "supervisor_record",
    NULL};
static const char *const image_paths[] = {
    "format",      "media_size",   "bytes_per_sector", "sectors_per_chunk",
    "compression", "segment_size", "destination",      "copies",
    NULL};
static const char *const verification_paths[] = {"status", "finished", "verdict", "read_from",
                                                 NULL};
static const char *const proof_paths[] = {"signatures", "timestamp", "ledger", NULL};
static const char *const segments_only[] = {"segments", NULL};
static const char *const checks_only[] = {"checks", NULL};
static const char *const rate_only[] = {"rate", NULL}; /* drawn: html_rate() */

const struct fields_section fields_case = {"case", "case", "Case and exhibit", case_paths,
                                           no_paths};
const struct fields_section fields_source = {"source", "source", "Source", source_paths, no_paths};
const struct fields_section fields_write_block = {"write-block", "write_block", "Write protection",
                                                  block_paths, no_paths};
const struct fields_section fields_acquisition = {"acquisition", "acquisition", "Acquisition",
                                                  acquisition_paths, rate_only};
const struct fields_section fields_proof = {"proof", "proof", "Signature, time stamp and ledger",
                                            proof_paths, no_paths};
const struct fields_section fields_image = {"image", "image", "Image", image_paths, segments_only};
const struct fields_section fields_verification = {"verification", "verification", "Verification",
                                                   verification_paths, checks_only};

/* Names that would read badly if only their underscores were taken out. */
static const struct {
    const char *key;
    const char *label;
} labels[] = {
    {"case_number", "Case number"},
    {"evidence_number", "Exhibit number"},
    {"meta.seal", "Seal number"},
    {"seal", "Seal number"},
    {"meta.authority", "Authority"},
    {"examiner", "Examiner (as stated)"},
    {"user", "User (as the system knew them)"},
    {"meta", "Further facts"},
    {"wwn", "World Wide Name"},
    {"hidden.hpa", "Host protected area (HPA)"},
    {"hidden.dco", "Device configuration overlay (DCO)"},
    {"hpa_note", "Host protected area, note"},
    {"dco_note", "Device configuration overlay, note"},
    {"native_sectors", "Sectors without a host protected area"},
    {"factory_sectors", "Sectors without an overlay"},
    {"usb", "USB"},
    {"speed_mbit_s", "Speed, Mbit/s"},
    {"write_blocker", "Write blocker, known by name or number"},
    {"bridge", "Between drive and computer"},
    {"drive", "The drive's own words"},
    {"other_areas", "Also of this item, not in this image"},
    {"trim", "TRIM"},
    {"trim_zeroes", "Zeros where it was trimmed"},
    {"before", "Before"},
    {"temperature", "Temperature, degrees"},
    {"percentage_used", "Used of its life, %"},
    {"available_spare", "Spare left, %"},
    {"passed", "Says that it is sound"},
    {"smart", "SMART health"},
    {"smart_note", "SMART health, note"},
    {"timestamp", "Time stamp"},
    {"signing_time", "Time, as the signer says"},
    {"ledger", "Ledger of custody"},
    {"head", "Head of the ledger"},
    {"hpa", "Host protected area"},
    {"dco", "Device configuration overlay"},
    {"level", "Write block level"},
    {"monitor", "I/O monitor"},
    {"resumed", "Interruptions"},
    {"retries", "Retries of each unreadable sector"},
    {"direct_io", "Read past the page cache"},
    {"host", "Host"},
    {"tool", "Tool and libraries"},
    {"destination", "Destination drive"},
    {"copies", "Further copies"},
    {"segment_size", "Segment size at most"},
    {"md5", "MD5"},
    {"sha1", "SHA-1"},
    {"sha224", "SHA-224"},
    {"sha256", "SHA-256"},
    {"sha384", "SHA-384"},
    {"sha512", "SHA-512"},
    {"sha3-256", "SHA3-256"},
    {"uid", "User ID"},
    {"login_uid", "Login user ID"},
    {"id", "ID"},
    {"landlock_abi", "Landlock version"},
    {"no_new_privs", "No new privileges"},
    {"passthrough", "Pass-through"},
    {"internal", "Sent by libata itself"},
    {"refused", "Attempts to write, refused"},
    {"attempts", "Refused attempts"},
    {"pid", "Process ID"},
    {"read_only_flag", "Read-only flag"},
    {"filesystem_magic", "File system, magic number"},
    {"os", "Operating system"},
    {"openssl", "OpenSSL"},
    {"isal", "ISA-L"},
    {"isa-l", "ISA-L"},
    {"max_error_us", "Greatest error, µs"},
    {"libdeflate", "libdeflate"},
    {"jansson", "Jansson"},
    {"libseccomp", "libseccomp"},
    {"offset_ms", "Offset, ms"},
    {"cpu", "CPU"},
    {"diskseq", "Disk sequence number"},
    {"read_s", "Read, s"},
    {"scsi_command_s", "SCSI command, s"},
    {"scsi_handler_s", "SCSI error handler, s"},
    {"scsi_set_s", "SCSI, as set, s"},
    {"gpt", "GPT"},
    {"lba", "Sector"},
    {"my_lba", "Its own sector, as it says"},
    {"alternate_lba", "Sector of the other copy"},
    {"first_usable_lba", "First usable sector"},
    {"last_usable_lba", "Last usable sector"},
    {"entries_lba", "Sector of the entries"},
    {"disk_guid", "GUID of the disk"},
    {"guid", "GUID"},
    {"type_guid", "Type GUID"},
    {"header_crc", "Header checksum"},
    {"header_crc_computed", "Header checksum, computed"},
    {"header_crc_ok", "Header checksum is right"},
    {"entries_crc", "Entries checksum"},
    {"entries_crc_computed", "Entries checksum, computed"},
    {"entries_crc_ok", "Entries checksum is right"},
    {"mft_entry", "MFT entry"},
};

const char *
fields_label(const char *key, char buf[FIELDS_LABEL_MAX])
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].key, key) == 0)
            return labels[i].label;
    }
    (void)snprintf(buf, FIELDS_LABEL_MAX, "%s", key);
    for (char *c = buf; *c; c++) {
        if (*c == '_')
            *c = ' ';
    }
    if (*buf >= 'a' && *buf <= 'z')
        *buf = (char)(*buf - 'a' + 'A');
    return buf;
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

bool
fields_is_hidden(const char *key)
{
    return ends_with(key, "_base64");
}

static bool
is_in(const char *const *list, const char *key)
{
    for (; *list; list++) {
        if (strcmp(*list, key) == 0)
            return true;
    }
    return false;
}

bool
fields_is_bytes(const char *key)
{
    static const char *const ends[] = {"size", "offset", "length", "bytes"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(key, ends[i]))
            return true;
    }
    return false;
}

bool
fields_is_name(const char *key)
{
    return ends_with(key, "id");
}

bool
fields_is_exact(const char *key)
{
    static const char *const names[] = {"md5",    "sha1",         "sha224", "sha256",
                                        "sha384", "sha512",       "serial", "wwn",
                                        "path",   "command_line", NULL};

    return is_in(names, key);
}

bool
fields_is_missing(const json_t *v)
{
    const char *key;
    json_t *item;

    if (!v || json_is_null(v) || (json_is_string(v) && *json_string_value(v) == '\0'))
        return true;
    if (!json_is_object(v))
        return false;
    json_object_foreach((json_t *)v, key, item)
    {
        if (!json_is_null(item) && !fields_is_hidden(key))
            return false;
    }
    return true;
}

const char *
fields_missing(const char *key)
{
    /* What of the sandbox could not be had; how a copy failed. */
    if (strcmp(key, "missing") == 0 || strcmp(key, "error") == 0)
        return "nothing";
    return "not recorded";
}

json_t *
fields_of_volume(const json_t *v)
{
    static const char *const names[][2] = {{"start", "start_offset"},
                                           {"present", "present_bytes"},
                                           {"unreadable", "unreadable_bytes"}};
    json_t *out = json_object();
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)v, key, item)
    {
        const char *name = key;

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (strcmp(names[i][0], key) == 0)
                name = names[i][1];
        }
        (void)json_object_set(out, name, item);
    }
    return out;
}

static const json_t *
at_path(const json_t *object, const char *path)
{
    const char *dot = strchr(path, '.');

    if (!dot)
        return json_object_get(object, path);
    AUTO_FREE char *first = xstrndup(path, (size_t)(dot - path));

    return json_object_get(json_object_get(object, first), dot + 1);
}

static bool
starts_path(const char *path, const char *key)
{
    size_t n = strlen(key);

    return strncmp(path, key, n) == 0 && path[n] == '.';
}

/* The object without the fields that have rows of their own. */
static json_t *
without_rows(const json_t *v, const char *key, const char *const *paths)
{
    json_t *rest = json_copy((json_t *)v);

    for (; *paths; paths++) {
        if (starts_path(*paths, key))
            (void)json_object_del(rest, *paths + strlen(key) + 1);
    }
    return rest;
}

static void
named_row(const json_t *object, const char *path, const char *const *paths, fields_row *row,
          void *arg)
{
    char buf[FIELDS_LABEL_MAX];
    const char *dot = strrchr(path, '.');
    const json_t *v = at_path(object, path);
    const char *key = dot ? dot + 1 : path;

    if (!json_is_object(v)) {
        row(arg, key, fields_label(path, buf), fields_is_missing(v) ? NULL : v);
        return;
    }
    json_t *rest = without_rows(v, path, paths);

    if (!fields_is_missing(rest) || strcmp(path, "meta") != 0)
        row(arg, key, fields_label(path, buf), fields_is_missing(rest) ? NULL : rest);
    json_decref(rest);
}

/* The field, or a part of it, has a row by its name already. */
static bool
has_row(const struct fields_section *s, const char *key)
{
    for (const char *const *p = s->paths; *p; p++) {
        if (strcmp(*p, key) == 0)
            return true;
    }
    return false;
}

/* An object of which some fields have rows of their own, and all others are missing. */
static bool
is_used_up(const struct fields_section *s, const char *key, const json_t *v)
{
    bool some = false;
    bool missing;
    json_t *rest;

    for (const char *const *p = s->paths; *p; p++)
        some = some || starts_path(*p, key);
    if (!some)
        return false;
    if (!json_is_object(v))
        return false;
    rest = without_rows(v, key, s->paths);
    missing = json_object_size(rest) == 0;
    json_decref(rest);
    return missing;
}

/* Of most sources there is nothing to say here, which is no gap in the record. */
static bool
is_left_out(const char *key, const json_t *v)
{
    static const char *const keys[] = {"usb",  "write_blocker", "other_areas", "drive",
                                       "trim", "bridge",        NULL};

    return is_in(keys, key) &&
           (fields_is_missing(v) || (json_is_array(v) && json_array_size(v) == 0));
}

bool
fields_each(const json_t *facts, const struct fields_section *s, fields_row *row, void *arg)
{
    const json_t *object = json_object_get(facts, s->key);
    const char *key;
    json_t *v;
    size_t n = 0;

    if (!json_is_object(object) || json_object_size(object) == 0)
        return false;
    for (const char *const *p = s->paths; *p; p++)
        named_row(object, *p, s->paths, row, arg);
    json_object_foreach((json_t *)object, key, v)
    {
        if (fields_is_hidden(key) || has_row(s, key) || is_in(s->skip, key) ||
            is_left_out(key, v) || is_used_up(s, key, v))
            continue;
        if (n++ == FIELDS_MAX) {
            json_t *more = json_string("in the JSON report");

            row(arg, "more", "More", more);
            json_decref(more);
            break;
        }
        named_row(object, key, s->paths, row, arg);
    }
    return true;
}
