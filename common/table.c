#include "common/table.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"

struct table {
    const struct table_column *columns;
    size_t n_columns;
    char **cells;
    size_t n_cells;
};

struct table *
table_new(const struct table_column *columns, size_t n)
{
    struct table *t = xcalloc(1, sizeof *t);

    t->columns = columns;
    t->n_columns = n;
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

/* Characters, not bytes; wide ones are counted as one, which at worst misplaces a column. */
static size_t
width_of(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void
print_cell(const struct table *t, size_t column, const char *cell, size_t width, FILE *f)
{
    int pad = (int)(width - width_of(cell));

    if (t->columns[column].right)
        (void)fprintf(f, "%*s%s", pad, "", cell);
    else if (column + 1 < t->n_columns)
        (void)fprintf(f, "%s%*s", cell, pad, "");
    else
        (void)fputs(cell, f);
    (void)fputs(column + 1 < t->n_columns ? "  " : "\n", f);
}

void
table_print(const struct table *t, FILE *f)
{
    AUTO_FREE size_t *widths = NULL;

    if (t->n_columns == 0)
        return;
    widths = xcalloc(t->n_columns, sizeof *widths);
    for (size_t c = 0; c < t->n_columns; c++)
        widths[c] = width_of(t->columns[c].heading);
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t width = width_of(t->cells[i]);

        if (width > widths[i % t->n_columns])
            widths[i % t->n_columns] = width;
    }
    for (size_t c = 0; c < t->n_columns; c++)
        print_cell(t, c, t->columns[c].heading, widths[c], f);
    for (size_t i = 0; i < t->n_cells; i++)
        print_cell(t, i % t->n_columns, t->cells[i], widths[i % t->n_columns], f);
}
