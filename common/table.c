#include "common/table.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

#define GAP 2

struct table {
    const struct table_column *columns;
    size_t n_columns;
    size_t *widths;
    char **cells;
    size_t n_cells;
};

struct table *
table_new(const struct table_column *columns, size_t n)
{
    struct table *t = xcalloc(1, sizeof *t);

    t->columns = columns;
    t->n_columns = n;
    t->widths = xcalloc(n + 1, sizeof *t->widths);
    return t;
}

void
table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->widths);
    free(t);
}

void
table_add(struct table *t, char *cell)
{
    if (*cell == '\0') {
        free(cell);
        cell = xstrdup("-");
    }
    t->cells = xrealloc(t->cells, t->n_cells + 1, sizeof *t->cells);
    t->cells[t->n_cells++] = cell;
}

static size_t
width_of(const char *s)
{
    return text_width(s, strlen(s));
}

/* --- widths --- */

/* The widest column that may lose one; n_columns if none may. */
static size_t
widest(const struct table *t)
{
    size_t found = t->n_columns;

    for (size_t c = 0; c < t->n_columns; c++) {
        if (t->columns[c].least > 0 && t->widths[c] > t->columns[c].least &&
            (found == t->n_columns || t->widths[c] > t->widths[found]))
            found = c;
    }
    return found;
}

void
table_fit(struct table *t, size_t width)
{
    size_t total = 0;

    for (size_t c = 0; c < t->n_columns; c++) {
        size_t w = width_of(t->columns[c].heading);

        for (size_t i = c; i < t->n_cells; i += t->n_columns)
            w = width_of(t->cells[i]) > w ? width_of(t->cells[i]) : w;
        t->widths[c] = w;
        total += w + (c > 0 ? GAP : 0);
    }
    for (; total > width; total--) {
        size_t c = widest(t);

        if (c == t->n_columns)
            return;
        t->widths[c]--;
    }
}

const char *
table_cut(const struct table *t, size_t row, size_t column)
{
    const char *cell = t->cells[row * t->n_columns + column];

    return width_of(cell) > t->widths[column] ? cell : NULL;
}

/* --- printing --- */

/* Bytes of the first n characters. */
static size_t
bytes_of(const char *s, size_t n)
{
    size_t bytes = strlen(s);

    while (text_width(s, bytes) > n)
        bytes--;
    return bytes;
}

static void
print_cell(const struct table *t, size_t column, const char *cell, FILE *f)
{
    size_t width = t->widths[column];
    size_t n = width_of(cell);
    int pad = n < width ? (int)(width - n) : 0;
    bool last = column + 1 == t->n_columns;

    if (n > width)
        (void)fprintf(f, "%.*s…", (int)bytes_of(cell, width - 1), cell);
    else if (t->columns[column].right)
        (void)fprintf(f, "%*s%s", pad, "", cell);
    else
        (void)fprintf(f, "%s%*s", cell, last ? 0 : pad, "");
    (void)fprintf(f, "%*s", last ? 0 : GAP, "");
    if (last)
        (void)fputc('\n', f);
}

void
table_print_heading(const struct table *t, FILE *f)
{
    for (size_t c = 0; c < t->n_columns; c++)
        print_cell(t, c, t->columns[c].heading, f);
}

void
table_print_row(const struct table *t, size_t row, FILE *f)
{
    for (size_t c = 0; c < t->n_columns; c++)
        print_cell(t, c, t->cells[row * t->n_columns + c], f);
}

void
table_print(struct table *t, FILE *f)
{
    table_fit(t, SIZE_MAX);
    table_print_heading(t, f);
    for (size_t row = 0; row * t->n_columns < t->n_cells; row++)
        table_print_row(t, row, f);
}
