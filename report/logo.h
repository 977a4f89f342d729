/*
 * A laboratory's logo, made part of the page.
 */
#ifndef EXHIBIT_REPORT_LOGO_H
#define EXHIBIT_REPORT_LOGO_H

#include <stddef.h>

#include "common/err.h"

/* A data: URI of the PNG, JPEG or SVG file at `path`, of at most max bytes; the caller frees it. An
   SVG that holds scripts, event handlers, entities or references to anything outside itself is
   refused (OUTCOME_USAGE). */
char *logo_load(const char *path, size_t max, struct err *err);

#endif
