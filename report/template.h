/*
 * The texts of the documents, which a laboratory may replace (exhibit-report(1), TEMPLATES). A
 * template is UTF-8 text, a line at a time:
 *
 *     ; a remark                  # Title         ## Heading        - item of a list
 *     {if verified}  {if not verified}  {else}  {end}      each on a line of its own
 *     {table NAME}   {sign TEXT}                           likewise
 *
 * All else is text; an empty line ends a paragraph. {NAME} in text stands for a value of the report
 * (form.h), {{ for a brace. What a value holds is text, whatever it looks like.
 */
#ifndef EXHIBIT_REPORT_TEMPLATE_H
#define EXHIBIT_REPORT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "report/form.h"

#define TEMPLATE_MAX ((size_t)256 << 10)

struct template;

/* Parses n bytes; `name` is for errors, which give the line: an unknown value, condition or table,
   an {if} that does not end, text that is not UTF-8 (all OUTCOME_USAGE). */
struct template *template_parse(const char *name, const char *text, size_t n, struct err *err);
void template_free(struct template *t);

enum template_part {
    TEMPLATE_TITLE,
    TEMPLATE_HEADING,
    TEMPLATE_PARAGRAPH,
    TEMPLATE_ITEM,
};

/* Where the text goes. `text` is the template's own, `value` foreign; neither is escaped. */
struct template_sink {
    void (*begin)(void *arg, enum template_part part);
    void (*text)(void *arg, const char *s);
    void (*value)(void *arg, const char *s);
    void (*end)(void *arg, enum template_part part);
    void (*table)(void *arg, enum form_table table);
    void (*sign)(void *arg, const char *label);
};

void template_run(const struct template *t, const struct form *form,
                  const struct template_sink *sink, void *arg);

#endif
