/*
 * Columns for people: as wide as what stands in them, or as a terminal lets them be, two blanks
 * between. Widths are characters (text_width()).
 */
#ifndef EXHIBIT_TABLE_H
#define EXHIBIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
    const char *heading;
    bool right;   /* aligned to the right: numbers */
    size_t least; /* to how little it may be cut where there is no room for all; 0: not at all */
};

struct table;

/* The columns stay the caller's and must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);

/* The next cell, row by row; takes the text over. It must be fit to print: text_printable(). An
   empty one is shown as "-". */
void table_add(struct table *t, char *cell);

/* The heading and all rows, however wide. */
void table_print(struct table *t, FILE *f);

/* Row by row, for those who have more to say between: first table_fit(), which finds the widths of
   what has been added, together no more than `width` if the columns can be cut to that (SIZE_MAX:
   none is). */
void table_fit(struct table *t, size_t width);
void table_print_heading(const struct table *t, FILE *f);
void table_print_row(const struct table *t, size_t row, FILE *f);

/* The cell where the row has it cut, else NULL; the table's. */
const char *table_cut(const struct table *t, size_t row, size_t column);

#endif
