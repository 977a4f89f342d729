/*
 * Columns for people: as wide as what stands in them, two blanks between.
 */
#ifndef EXHIBIT_TABLE_H
#define EXHIBIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
    const char *heading;
    bool right; /* aligned to the right: numbers */
};

struct table;

/* The columns stay the caller's and must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);

/* The next cell, row by row; takes the text over. It must be fit to print: text_printable(). An
   empty one is shown as "-". */
void table_add(struct table *t, char *cell);

void table_print(const struct table *t, FILE *f);

#endif
