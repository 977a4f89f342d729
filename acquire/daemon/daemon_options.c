#include "acquire/daemon/daemon_options.h"

#include <string.h>

#include "common/text.h"

static const struct {
    const char *name;
    const char *value; /* refused with this value only; NULL: with any, or none */
    enum outcome outcome;
    const char *why;
} refused[] = {
    {"progress", NULL, OUTCOME_USAGE, "the daemon follows the job"},
    {"quiet", NULL, OUTCOME_USAGE, "the daemon follows the job"},
    {"json", NULL, OUTCOME_USAGE, "the manifest is beside the image"},
    {"resume", NULL, OUTCOME_USAGE, "a job is continued with 'exhibit resume'"},
    {"segment-dir", NULL, OUTCOME_USAGE, "it goes with a resume by 'exhibit acquire'"},
    {"passphrase-fd", NULL, OUTCOME_USAGE, "the daemon has not got that descriptor"},
    {"help", NULL, OUTCOME_USAGE, "there is nobody to read it"},
    {"version", NULL, OUTCOME_USAGE, "there is nobody to read it"},
    {"write-block", "none", OUTCOME_REFUSED, "the daemon protects every source"},
};

/* Options whose argument is a path. */
static const struct {
    const char *name;
    bool or_uri; /* "pkcs11:..." is a key that OpenSSL finds elsewhere */
} paths[] = {
    {"copy", false},         {"sign-key", true},    {"sign-cert", true}, {"passphrase-file", false},
    {"rescue-image", false}, {"rescue-map", false},
};

static bool
is_option(const char *word, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(word, name, n) == 0;
}

bool
daemon_option_is_path(const char *name, size_t n, const char *value)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (is_option(name, n, paths[i].name))
            return !paths[i].or_uri || value[0] == '/' || !strchr(value, ':');
    }
    return false;
}

/* `value` is what follows the '=', or the next word, or NULL. */
static int
check_one(const char *name, size_t n, const char *value, struct err *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (is_option(name, n, refused[i].name) &&
            (!refused[i].value || (value && strcmp(value, refused[i].value) == 0)))
            return err_set(err, refused[i].outcome, "'--%s%s%s' is not for jobs of the daemon: %s",
                           refused[i].name, refused[i].value ? " " : "",
                           refused[i].value ? refused[i].value : "", refused[i].why);
    }
    if (value && value[0] != '/' && daemon_option_is_path(name, n, value))
        return err_set(err, OUTCOME_USAGE, "'--%.*s %s': the path must be absolute", (int)n, name,
                       value);
    return 0;
}

static int
check_operand(const char *path, const char *what, struct err *err)
{
    if (path[0] != '/')
        return err_set(err, OUTCOME_USAGE, "the %s '%s' must be an absolute path", what, path);
    return 0;
}

int
daemon_options_check(const char *source, const char *dest, char *const *options, size_t n,
                     struct err *err)
{
    if (check_operand(source, "source", err) != 0 || check_operand(dest, "destination", err) != 0)
        return -1;
    if (n > DAEMON_OPTIONS_MAX)
        return err_set(err, OUTCOME_USAGE, "more than %d options", DAEMON_OPTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *word = options[i];
        const char *equals = strchr(word, '=');
        const char *value = equals ? equals + 1 : i + 1 < n ? options[i + 1] : NULL;

        if (word[0] != '-')
            continue;
        if (word[1] != '-' || word[2] == '\0')
            return err_set(err, OUTCOME_USAGE, "'%s' is not for jobs of the daemon", word);
        word += 2;
        if (check_one(word, equals ? (size_t)(equals - word) : strlen(word), value, err) != 0)
            return -1;
    }
    return 0;
}

/* An option of the job: its name (n bytes) and its argument, in the same word or the next. */
struct given {
    const char *name, *value;
    size_t n;
};

static bool
next_given(char *const *options, size_t n, size_t *at, struct given *out)
{
    while (*at < n && strncmp(options[*at], "--", 2) != 0)
        (*at)++;
    if (*at >= n)
        return false;
    out->name = options[*at] + 2;
    out->n = strcspn(out->name, "=");
    out->value = out->name[out->n] ? out->name + out->n + 1 : *at + 1 < n ? options[*at + 1] : "";
    (*at)++;
    return true;
}

/* A default that goes with one value of another option only, or with all but one. */
static const struct {
    const char *name, *other, *value;
    bool with;
} companions[] = {
    {"compression", "format", "raw", false},
    {"hardware-blocker", "write-block", "hardware", true},
};

static bool
replaces(const struct given *own, const struct given *def)
{
    size_t key = strcspn(def->value, "=") + 1;

    if (own->n == def->n && memcmp(own->name, def->name, own->n) == 0)
        return !is_option(def->name, def->n, "meta") || strncmp(own->value, def->value, key) == 0;
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        if (is_option(def->name, def->n, companions[i].name) &&
            is_option(own->name, own->n, companions[i].other) &&
            (strcmp(own->value, companions[i].value) == 0) != companions[i].with)
            return true;
    }
    return false;
}

bool
daemon_options_replace(const char *word, char *const *options, size_t n)
{
    char *const one[] = {(char *)(uintptr_t)word};
    struct given def = {0};
    struct given own;
    size_t at = 0;

    if (!next_given(one, 1, &at, &def))
        return false;
    for (at = 0; next_given(options, n, &at, &own);) {
        if (replaces(&own, &def))
            return true;
    }
    return false;
}

char **
daemon_options_argv(const struct daemon_job *job, bool resume)
{
    static char program[] = "exhibit-acquire";
    static char progress[] = "--progress=json";
    static char again[] = "--resume";
    char **argv = xcalloc(job->n_options + 6, sizeof *argv);
    size_t k = 0;

    /* The job's options last, where one that lacks its argument finds nothing to take for it. What
       comes before them is no option: both paths are absolute. */
    argv[k++] = program;
    argv[k++] = progress;
    if (resume)
        argv[k++] = again;
    argv[k++] = job->source;
    argv[k++] = job->dest;
    for (size_t i = 0; i < job->n_options; i++)
        argv[k++] = job->options[i];
    return argv;
}
