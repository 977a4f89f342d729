#include "common/options.h"

#include <getopt.h>

#include "common/console.h"
#include "common/text.h"

enum {
    ID_HELP = 0x10000,
    ID_VERSION,
};

struct options {
    const struct program *program;
    int argc;
    char **argv;
    struct option *longs;
    char *shorts;
};

static const struct option_spec standard[] = {
    {"help", 'h', NULL, ID_HELP, "show this help"},
    {"version", 0, NULL, ID_VERSION, "show the version"},
};

#define N_STANDARD (sizeof standard / sizeof standard[0])

/* What the help lists comes first. */
static size_t
n_listed(const struct program *p)
{
    return p->n_options + N_STANDARD;
}

static size_t
n_specs(const struct program *p)
{
    return n_listed(p) + p->n_unlisted;
}

static const struct option_spec *
spec_at(const struct program *p, size_t i)
{
    if (i >= n_listed(p))
        return &p->unlisted[i - n_listed(p)];
    return i < p->n_options ? &p->options[i] : &standard[i - p->n_options];
}

struct options *
options_new(const struct program *program, int argc, char **argv)
{
    struct options *o = xcalloc(1, sizeof *o);
    size_t n = n_specs(program);
    char *s;

    o->program = program;
    o->argc = argc;
    o->argv = argv;
    o->longs = xcalloc(n + 1, sizeof *o->longs);
    o->shorts = s = xcalloc(2 * n + 2, 1);
    *s++ = ':'; /* a missing argument is told apart from an unknown option */
    for (size_t i = 0; i < n; i++) {
        const struct option_spec *spec = spec_at(program, i);

        o->longs[i] = (struct option){
            .name = spec->name,
            .has_arg = spec->arg ? required_argument : no_argument,
            .val = spec->id,
        };
        if (spec->letter) {
            *s++ = spec->letter;
            if (spec->arg)
                *s++ = ':';
        }
    }
    optind = 0; /* glibc: start afresh, whoever used getopt before */
    opterr = 0;
    return o;
}

void
options_free(struct options *o)
{
    if (!o)
        return;
    free(o->longs);
    free(o->shorts);
    free(o);
}

static void
print_option(const struct option_spec *spec)
{
    char left[64];
    const char *line = spec->help;

    (void)snprintf(left, sizeof left, "%c%c%s --%s%s%s", spec->letter ? '-' : ' ',
                   spec->letter ? spec->letter : ' ', spec->letter ? "," : " ", spec->name,
                   spec->arg ? " " : "", spec->arg ? spec->arg : "");
    (void)printf("  %-34s", left);
    if (strlen(left) > 33)
        (void)printf("\n%36s", "");
    for (;;) {
        int n = (int)strcspn(line, "\n");

        (void)printf("%.*s\n", n, line);
        if (line[n] == '\0')
            return;
        line += n + 1;
        (void)printf("%36s", "");
    }
}

static void
print_help(const struct program *p)
{
    (void)printf("usage: %s %s\n\n%s\n\noptions:\n", p->name, p->usage, p->summary);
    for (size_t i = 0; i < n_listed(p); i++)
        print_option(spec_at(p, i));
}

/* A short option's letter becomes its id. */
static int
id_of(const struct program *p, int got)
{
    for (size_t i = 0; i < n_specs(p); i++) {
        const struct option_spec *spec = spec_at(p, i);

        if (got == spec->id || (spec->letter && got == spec->letter))
            return spec->id;
    }
    return -1;
}

/* getopt_long accepts any unambiguous beginning of a name; a script that relies on one breaks as
   options are added, so the name must be whole. */
static const struct option_spec *
named_in_full(const struct program *p, const char *word)
{
    size_t n = strcspn(word, "=");

    for (size_t i = 0; i < n_specs(p); i++) {
        const struct option_spec *spec = spec_at(p, i);

        if (strlen(spec->name) == n && strncmp(spec->name, word, n) == 0)
            return spec;
    }
    return NULL;
}

static int
complain(const struct options *o, int got, const char *word, struct err *err)
{
    const char *help = o->program->name;

    if (got == ':')
        return err_set(err, OUTCOME_USAGE, "option '%s' needs an argument; see '%s --help'", word,
                       help);
    if (strncmp(word, "--", 2) == 0 && named_in_full(o->program, word + 2))
        return err_set(err, OUTCOME_USAGE, "option '%s' takes no argument; see '%s --help'", word,
                       help);
    if (strncmp(word, "--", 2) == 0)
        return err_set(err, OUTCOME_USAGE, "unknown option '%s'; see '%s --help'", word, help);
    return err_set(err, OUTCOME_USAGE, "unknown option '-%c'; see '%s --help'", optopt, help);
}

/* The word that getopt_long is about to look at: it skips operands to the first option. */
static const char *
upcoming(const struct options *o)
{
    for (int i = optind ? optind : 1; i < o->argc; i++) {
        if (o->argv[i][0] == '-' && o->argv[i][1] != '\0')
            return o->argv[i];
    }
    return "";
}

int
options_next(struct options *o, const char **arg, struct err *err)
{
    const char *word = upcoming(o);
    int got = getopt_long(o->argc, o->argv, o->shorts, o->longs, NULL);
    int id;

    *arg = optarg;
    if (got == -1)
        return 0;
    if (got == '?' || got == ':')
        return complain(o, got, word, err);
    if (strncmp(word, "--", 2) == 0 && word[2] != '\0' && !named_in_full(o->program, word + 2))
        return complain(o, '?', word, err);
    id = id_of(o->program, got);
    if (id == ID_HELP) {
        print_help(o->program);
        exit(console_end(OUTCOME_DONE));
    }
    if (id == ID_VERSION) {
        (void)printf("%s (Exhibit) %s\n", o->program->name, EXHIBIT_VERSION);
        exit(console_end(OUTCOME_DONE));
    }
    return id;
}

int
option_list_add(struct option_list list, const char *arg, struct err *err)
{
    if (*list.n == list.max)
        return err_set(err, OUTCOME_USAGE, "option '--%s' is given too often", list.name);
    list.v[(*list.n)++] = arg;
    return 0;
}

char **
options_operands(const struct options *o, int *count)
{
    *count = o->argc - optind;
    return o->argv + optind;
}
