/*
 * The built-in texts: report/templates/NAME.txt as they stand there, put in by the build.
 */
#ifndef EXHIBIT_REPORT_TEMPLATE_TEXT_H
#define EXHIBIT_REPORT_TEMPLATE_TEXT_H

#include <stddef.h>

struct template_text {
    const char *text;
    size_t n;
};

extern const struct template_text template_texts[]; /* in the order of enum document */

#endif
