/*
 * exhibit-parser: takes a disk image apart with libtsk, in a sandbox, and prints what it finds as
 * JSON lines. exhibit-report runs it once for the partition table and once for each volume, so that
 * a file system that crashes or hangs libtsk takes nothing else with it; exhibit-verify asks it in
 * the same way which files lie in damaged media ("files"). Not for people to call.
 *
 *   exhibit-parser table|volume|files IMAGE MANIFEST|- SECTOR START LENGTH strict|lenient
 * CPU-SECONDS EXAMINE OFFSET:LENGTH,…|-
 */
#include <unistd.h>

#include "common/image.h"
#include "common/json.h"
#include "common/options.h"
#include "common/sandbox.h"
#include "common/size.h"
#include "report/parser.h"
#include "report/parser_emit.h"

/* Room for libtsk's lists and bitmaps of a large volume; far more is an attack. The sanitizers
   reserve terabytes of address space for themselves, so there it cannot be limited. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADDRESS_SPACE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ADDRESS_SPACE 0
#endif
#endif
#ifndef ADDRESS_SPACE
#define ADDRESS_SPACE ((size_t)4 << 30)
#endif

static const struct {
    const char *name;
    void (*run)(struct parser_image *p);
} modes[] = {
    {"table", parser_table},
    {"volume", parser_volume},
    {"files", parser_files},
};

struct request {
    void (*run)(struct parser_image *p);
    const char *image;
    const char *manifest; /* or NULL */
    uint64_t sector_size;
    uint64_t start;
    uint64_t length;
    bool lenient;
    uint64_t cpu_seconds;
    uint64_t examine_max; /* bytes */
    struct ranges ranges; /* of the media */
};

static int
read_ranges(char *text, struct ranges *out, struct err *err)
{
    char *rest = text;
    char *item;

    if (strcmp(text, "-") == 0)
        return 0;
    while ((item = strsep(&rest, ",")) != NULL) {
        char *colon = strchr(item, ':');
        uint64_t offset;
        uint64_t length;

        if (!colon)
            return err_set(err, OUTCOME_USAGE, "'%s' is no range", item);
        *colon = '\0';
        if (number_parse(item, 0, INT64_MAX, "OFFSET", &offset, err) != 0 ||
            number_parse(colon + 1, 0, INT64_MAX, "LENGTH", &length, err) != 0)
            return -1;
        ranges_add(out, offset, length);
    }
    return 0;
}

static int
read_request(char **words, int n, struct request *out, struct err *err)
{
    if (n != 10)
        return err_set(err, OUTCOME_USAGE,
                       "exhibit-parser is run by 'exhibit report' and 'exhibit verify'");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(words[0], modes[i].name) == 0)
            out->run = modes[i].run;
    }
    if (!out->run)
        return err_set(err, OUTCOME_USAGE, "unknown mode '%s'", words[0]);
    out->image = words[1];
    out->manifest = strcmp(words[2], "-") == 0 ? NULL : words[2];
    out->lenient = strcmp(words[6], "lenient") == 0;
    if (number_parse(words[3], 1, 1 << 20, "SECTOR", &out->sector_size, err) != 0 ||
        number_parse(words[4], 0, INT64_MAX, "START", &out->start, err) != 0 ||
        number_parse(words[5], 0, INT64_MAX, "LENGTH", &out->length, err) != 0)
        return -1;
    if (number_parse(words[7], 1, 1 << 30, "CPU-SECONDS", &out->cpu_seconds, err) != 0)
        return -1;
    if (number_parse(words[8], 0, INT64_MAX, "EXAMINE", &out->examine_max, err) != 0)
        return -1;
    return read_ranges(words[9], &out->ranges, err);
}

static struct image *
open_image(const struct request *request, struct err *err)
{
    struct image_options options = {.sector_size = (uint32_t)request->sector_size};
    struct manifest *manifest = NULL;

    if (request->manifest) {
        manifest = manifest_load(request->manifest, err);
        if (!manifest)
            return NULL;
        options.manifest = manifest;
    }
    /* The manifest stays in memory: the image may point into it, and the process ends with it. */
    return image_open(request->manifest ? request->manifest : request->image, &options, err);
}

/* From here on the process has the image's descriptors, its directories for segments that are too
   many to be open at once, and stdout, and no way to anything else. */
static int
enter_sandbox(const struct request *request, const struct image *image, struct err *err)
{
    const int *dirs;
    size_t n = image_directories(image, &dirs);
    struct sandbox_spec spec = {.read_dirs = dirs, .n_read_dirs = n};
    struct sandbox_state state;
    json_t *message;

    if (sandbox_enter(&spec, request->lenient, &state, err) != 0)
        return -1;
    message = emit_new("sandbox");
    json_set_bool(message, "seccomp", state.seccomp);
    json_set_bool(message, "no_new_privs", state.no_new_privs);
    json_set_u64(message, "landlock_abi", (uint64_t)state.landlock_abi);
    emit_text(message, "missing", state.missing);
    emit_send(message);
    return 0;
}

static void
fail(const struct err *err)
{
    json_t *message = emit_new("error");

    emit_text(message, "text", err->text);
    emit_send(message);
}

static int
run(char **words, int n, struct err *err)
{
    struct request request = {0};
    struct parser_image *p;
    struct image *image;

    if (read_request(words, n, &request, err) != 0)
        return -1;
    if (sandbox_limit(ADDRESS_SPACE, (unsigned)request.cpu_seconds, err) != 0)
        return -1;
    image = open_image(&request, err);
    if (!image || enter_sandbox(&request, image, err) != 0)
        return -1;
    p = parser_image_new(image, request.start, request.length, (uint32_t)request.sector_size, err);
    if (!p)
        return -1;
    p->examine_max = request.examine_max;
    p->wanted = request.ranges;
    request.run(p);
    if (p->failed_reads > 0)
        emit_finding("image-damage", "%ju %s of the image failed, the first at byte %ju: %s",
                     (uintmax_t)p->failed_reads, p->failed_reads == 1 ? "read" : "reads",
                     (uintmax_t)p->failed_at, p->failed_why);
    emit_send(emit_new("end"));
    return 0;
}

int
main(int argc, char **argv)
{
    static const struct program program = {
        .name = "exhibit-parser",
        .usage = "(run by exhibit report)",
        .summary = "Takes a disk image apart in a sandbox and prints what it finds.",
    };
    struct options *options = options_new(&program, argc, argv);
    struct err err = ERR_INIT;
    const char *arg;
    char **words;
    int n;

    if (options_next(options, &arg, &err) != 0)
        return err_report(&err);
    words = options_operands(options, &n);
    if (run(words, n, &err) != 0) {
        fail(&err);
        _exit(err.outcome);
    }
    /* No destructors: nothing is left to write, and libtsk's memory dies with the process. */
    _exit(OUTCOME_DONE);
}
