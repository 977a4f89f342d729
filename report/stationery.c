#include "report/stationery.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"
#include "report/logo.h"
#include "report/template_text.h"

#define CONFIG_MAX ((size_t)64 << 10)

const char *const document_names[DOCUMENTS] = {"report", "custody", "certificate"};

struct settings { /* of the configuration file; owned */
    struct stationery *to;
    char *logo;
    char *templates;
};

static void
append_line(char **text, const char *line)
{
    char *longer = *text ? xasprintf("%s\n%s", *text, line) : xstrdup(line);

    free(*text);
    *text = longer;
}

static void
replace(char **text, const char *value)
{
    free(*text);
    *text = xstrdup(value);
}

/* Relative paths in a configuration are relative to it. */
static char *
beside(const char *config, const char *path)
{
    const char *slash = strrchr(config, '/');

    if (*path == '/' || !slash)
        return xstrdup(path);
    return xasprintf("%.*s/%s", (int)(slash - config), config, path);
}

static int
take_setting(struct settings *s, const char *config, const char *key, const char *value)
{
    AUTO_FREE char *path = beside(config, value);

    if (strcmp(key, "laboratory") == 0)
        replace(&s->to->laboratory, value);
    else if (strcmp(key, "address") == 0)
        append_line(&s->to->address, value);
    else if (strcmp(key, "logo") == 0)
        replace(&s->logo, path);
    else if (strcmp(key, "templates") == 0)
        replace(&s->templates, path);
    else if (strcmp(key, "weasyprint") == 0)
        replace(&s->to->weasyprint, path);
    else
        return -1;
    return 0;
}

/* The text without the blanks at both ends; changes it. */
static char *
trim(char *s)
{
    size_t n;

    while (*s == ' ' || *s == '\t')
        s++;
    n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]))
        s[--n] = '\0';
    return s;
}

static int
take_config(struct settings *s, const char *config, char *text, struct err *err)
{
    size_t number = 0;

    for (char *line = text; line;) {
        char *next = strchr(line, '\n');
        char *equals;

        if (next)
            *next++ = '\0';
        number++;
        line = trim(line);
        equals = strchr(line, '=');
        if (*line != '\0' && *line != '#') {
            if (!equals)
                return err_set(err, OUTCOME_USAGE, "'%s', line %zu: expected KEY = VALUE", config,
                               number);
            *equals = '\0';
            if (take_setting(s, config, trim(line), trim(equals + 1)) != 0)
                return err_set(err, OUTCOME_USAGE,
                               "'%s', line %zu: unknown setting '%s': there are laboratory, "
                               "address, logo, templates, weasyprint",
                               config, number, trim(line));
        }
        line = next;
    }
    return 0;
}

static int
read_config(struct settings *s, const char *config, struct err *err)
{
    const char *path = config ? config : STATIONERY_DEFAULT;
    AUTO_FREE char *text = NULL;
    size_t n;

    if (!config && access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    text = infile_read(AT_FDCWD, path, CONFIG_MAX, &n, err);
    if (!text)
        return err_context(err, "cannot use the configuration");
    if (strlen(text) != n || !text_is_utf8(text, n))
        return err_set(err, OUTCOME_USAGE, "'%s' is not UTF-8 text", path);
    return take_config(s, path, text, err);
}

/* The laboratory's own text, or the built-in one. */
static struct template *
load_template(const char *dir, enum document which, struct err *err)
{
    AUTO_FREE char *path = dir ? xasprintf("%s/%s.txt", dir, document_names[which]) : NULL;
    AUTO_FREE char *text = NULL;
    size_t n;

    if (!path || (access(path, F_OK) != 0 && errno == ENOENT))
        return template_parse(document_names[which], template_texts[which].text,
                              template_texts[which].n, err);
    text = infile_read(AT_FDCWD, path, TEMPLATE_MAX, &n, err);
    return text ? template_parse(path, text, n, err) : NULL;
}

static int
load_templates(struct stationery *to, const char *dir, struct err *err)
{
    if (dir && access(dir, R_OK | X_OK) != 0)
        return err_errno(err, "cannot read the directory of templates '%s'", dir);
    for (enum document i = 0; i < DOCUMENTS; i++) {
        to->templates[i] = load_template(dir, i, err);
        if (!to->templates[i])
            return -1;
    }
    return 0;
}

struct stationery *
stationery_load(const char *config, const char *templates, struct err *err)
{
    struct settings s = {.to = xcalloc(1, sizeof *s.to)};
    int result = read_config(&s, config, err);

    if (result == 0 && s.logo) {
        s.to->logo = logo_load(s.logo, STATIONERY_LOGO_MAX, err);
        result = s.to->logo ? 0 : -1;
    }
    if (result == 0)
        result = load_templates(s.to, templates ? templates : s.templates, err);
    free(s.logo);
    free(s.templates);
    if (result == 0)
        return s.to;
    stationery_free(s.to);
    return NULL;
}

void
stationery_free(struct stationery *s)
{
    if (!s)
        return;
    for (enum document i = 0; i < DOCUMENTS; i++)
        template_free(s->templates[i]);
    free(s->laboratory);
    free(s->address);
    free(s->logo);
    free(s->weasyprint);
    free(s);
}

int
documents_parse(const char *list, unsigned *set, struct err *err)
{
    *set = 0;
    for (;;) {
        size_t n = strcspn(list, ",");
        unsigned found = 0;

        for (unsigned i = 0; i < DOCUMENTS; i++) {
            if (strlen(document_names[i]) == n && strncmp(document_names[i], list, n) == 0)
                found = 1u << i;
        }
        if (!found)
            return err_set(err, OUTCOME_USAGE,
                           "document '%.*s' is not known: there are report, custody, certificate",
                           (int)(n < 64 ? n : 64), list);
        *set |= found;
        if (list[n] == '\0')
            return 0;
        list += n + 1;
    }
}
