#include "report/template.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

#define LINES_MAX 5000
#define DEPTH_MAX 8

enum line_kind {
    LINE_TITLE,
    LINE_HEADING,
    LINE_ITEM,
    LINE_TEXT,
    LINE_BLANK,
    LINE_IF,
    LINE_IF_NOT,
    LINE_ELSE,
    LINE_END,
    LINE_TABLE,
    LINE_SIGN,
};

struct line {
    enum line_kind kind;
    int what;   /* the condition or the table */
    char *text; /* or NULL */
};

struct template
{
    struct line *lines;
    size_t n;
};

struct place { /* for errors */
    const char *name;
    size_t line;
};

static int
bad(const struct place *at, struct err *err, const char *what, const char *s, size_t n)
{
    return err_set(err, OUTCOME_USAGE, "template '%s', line %zu: %s '%.*s'", at->name, at->line,
                   what, (int)(n < 80 ? n : 80), s);
}

/* Every {NAME} of a text is known. */
static int
check_values(const struct place *at, const char *s, struct err *err)
{
    while ((s = strchr(s, '{'))) {
        size_t n;

        if (s[1] == '{') {
            s += 2;
            continue;
        }
        n = strcspn(s, "}");
        if (s[n] == '\0')
            return bad(at, err, "a brace is not closed (write {{ for a brace):", s, n);
        if (!form_has_value(s + 1, n - 1))
            return bad(at, err, "unknown placeholder", s, n + 1);
        s += n + 1;
    }
    return 0;
}

static int
take_condition(struct line *line, const char *s, const struct place *at, struct err *err)
{
    bool not = strncmp(s, "not ", 4) == 0;

    line->kind = not ? LINE_IF_NOT : LINE_IF;
    s += not ? 4 : 0;
    line->what = form_condition(s, strlen(s));
    return line->what >= 0 ? 0 : bad(at, err, "unknown condition", s, strlen(s));
}

static int
take_table(struct line *line, const char *s, const struct place *at, struct err *err)
{
    line->kind = LINE_TABLE;
    for (int i = 0; i < FORM_TABLES; i++) {
        if (strcmp(s, form_table_names[i]) == 0) {
            line->what = i;
            return 0;
        }
    }
    return bad(at, err, "unknown table", s, strlen(s));
}

static bool
after(const char **s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*s, word, n) != 0)
        return false;
    *s += n;
    return true;
}

/* A line that is one pair of braces and no value: 1; another: 0; -1: it is wrong. */
static int
take_directive(struct line *line, const char *s, const struct place *at, struct err *err)
{
    size_t n = strlen(s);
    AUTO_FREE char *inner = n > 2 ? xstrndup(s + 1, n - 2) : xstrdup("");
    const char *rest = inner;

    if (s[0] != '{' || s[1] == '{' || strcspn(s, "}") != n - 1)
        return 0;
    if (strcmp(inner, "else") == 0) {
        line->kind = LINE_ELSE;
    } else if (strcmp(inner, "end") == 0) {
        line->kind = LINE_END;
    } else if (after(&rest, "sign ")) {
        line->kind = LINE_SIGN;
        line->text = xstrdup(rest);
    } else if (after(&rest, "if ")) {
        return take_condition(line, rest, at, err) == 0 ? 1 : -1;
    } else if (after(&rest, "table ")) {
        return take_table(line, rest, at, err) == 0 ? 1 : -1;
    } else {
        return 0;
    }
    return 1;
}

static int
take_line(struct line *line, const char *s, const struct place *at, struct err *err)
{
    int directive;

    while (*s == ' ' || *s == '\t')
        s++;
    if (*s == '\0') {
        line->kind = LINE_BLANK;
        return 0;
    }
    directive = take_directive(line, s, at, err);
    if (directive != 0)
        return directive < 0 ? -1 : 0;
    line->kind = after(&s, "## ")  ? LINE_HEADING
                 : after(&s, "# ") ? LINE_TITLE
                 : after(&s, "- ") ? LINE_ITEM
                                   : LINE_TEXT;
    line->text = xstrdup(s);
    return check_values(at, s, err);
}

/* Each {if} has its {end}, and at most one {else}. */
static int
check_nesting(const struct template *t, const struct place *at, const size_t *numbers,
              struct err *err)
{
    bool other[DEPTH_MAX];
    size_t opened[DEPTH_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < t->n; i++) {
        struct place here = {at->name, numbers[i]};
        enum line_kind kind = t->lines[i].kind;

        if (kind == LINE_IF || kind == LINE_IF_NOT) {
            if (depth == DEPTH_MAX)
                return bad(&here, err, "nested too deep:", "{if}", 4);
            opened[depth] = numbers[i];
            other[depth++] = false;
        } else if (kind == LINE_ELSE) {
            if (depth == 0 || other[depth - 1])
                return bad(&here, err, "no {if} belongs to", "{else}", 6);
            other[depth - 1] = true;
        } else if (kind == LINE_END) {
            if (depth == 0)
                return bad(&here, err, "no {if} belongs to", "{end}", 5);
            depth--;
        }
    }
    if (depth > 0) {
        struct place here = {at->name, opened[depth - 1]};

        return bad(&here, err, "no {end} belongs to", "{if}", 4);
    }
    return 0;
}

static int
parse_lines(struct template *t, struct place *at, const char *text, size_t n, size_t *numbers,
            struct err *err)
{
    const char *stop = text + n;

    for (const char *s = text; s < stop;) {
        const char *newline = memchr(s, '\n', (size_t)(stop - s));
        size_t length = (size_t)((newline ? newline : stop) - s);
        AUTO_FREE char *line = xstrndup(s, length);

        s += length + 1;
        at->line++;
        while (length > 0 && strchr(" \t\r", line[length - 1]))
            line[--length] = '\0';
        if (line[0] == ';')
            continue;
        if (t->n == LINES_MAX)
            return bad(at, err, "too many lines; no more than 5000 are taken, not", line, length);
        numbers[t->n] = at->line;
        t->lines[t->n] = (struct line){.kind = LINE_BLANK};
        if (take_line(&t->lines[t->n++], line, at, err) != 0)
            return -1;
    }
    return 0;
}

struct template *
template_parse(const char *name, const char *text, size_t n, struct err *err)
{
    struct template *t = xcalloc(1, sizeof *t);
    AUTO_FREE size_t *numbers = xcalloc(LINES_MAX, sizeof *numbers);
    struct place at = {name, 0};

    t->lines = xcalloc(LINES_MAX, sizeof *t->lines);
    if (!text_is_utf8(text, n)) {
        (void)err_set(err, OUTCOME_USAGE, "template '%s' is not UTF-8 text", name);
    } else if (parse_lines(t, &at, text, n, numbers, err) == 0 &&
               check_nesting(t, &at, numbers, err) == 0) {
        return t;
    }
    template_free(t);
    return NULL;
}

void
template_free(struct template *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->lines[i].text);
    free(t->lines);
    free(t);
}

struct run {
    const struct form *form;
    const struct template_sink *sink;
    void *arg;
    bool paragraph; /* one is open */
};

/* Text with its values, the template's own in pieces between them. */
static void
run_text(const struct run *r, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "{");
        AUTO_FREE char *piece = xstrndup(s, s[n] ? n + (s[n + 1] == '{') : n);

        if (*piece)
            r->sink->text(r->arg, piece);
        s += n;
        if (s[0] == '{' && s[1] == '{') {
            s += 2;
        } else if (*s == '{') {
            size_t length = strcspn(s, "}");
            AUTO_FREE char *value = form_value(r->form, s + 1, length - 1);

            r->sink->value(r->arg, value);
            s += length + 1;
        }
    }
}

static void
run_part(const struct run *r, enum template_part part, const char *s)
{
    r->sink->begin(r->arg, part);
    run_text(r, s);
    r->sink->end(r->arg, part);
}

static void
end_paragraph(struct run *r)
{
    if (r->paragraph)
        r->sink->end(r->arg, TEMPLATE_PARAGRAPH);
    r->paragraph = false;
}

static void
run_line(struct run *r, const struct line *line)
{
    if (line->kind == LINE_TEXT) {
        if (r->paragraph)
            r->sink->text(r->arg, " ");
        else
            r->sink->begin(r->arg, TEMPLATE_PARAGRAPH);
        r->paragraph = true;
        run_text(r, line->text);
        return;
    }
    end_paragraph(r);
    if (line->kind == LINE_TITLE)
        run_part(r, TEMPLATE_TITLE, line->text);
    else if (line->kind == LINE_HEADING)
        run_part(r, TEMPLATE_HEADING, line->text);
    else if (line->kind == LINE_ITEM)
        run_part(r, TEMPLATE_ITEM, line->text);
    else if (line->kind == LINE_TABLE)
        r->sink->table(r->arg, (enum form_table)line->what);
    else if (line->kind == LINE_SIGN)
        r->sink->sign(r->arg, line->text);
}

void
template_run(const struct template *t, const struct form *form, const struct template_sink *sink,
             void *arg)
{
    struct run r = {form, sink, arg, false};
    bool taken[DEPTH_MAX + 1] = {true}; /* whether the lines at that depth are to be shown */
    size_t depth = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct line *line = &t->lines[i];

        if (line->kind == LINE_IF || line->kind == LINE_IF_NOT) {
            depth++;
            taken[depth] = taken[depth - 1] && form_is(form, line->what) == (line->kind == LINE_IF);
        } else if (line->kind == LINE_ELSE) {
            taken[depth] = taken[depth - 1] && !taken[depth];
        } else if (line->kind == LINE_END) {
            depth--;
        } else if (taken[depth]) {
            run_line(&r, line);
        }
    }
    end_paragraph(&r);
}
