/*
 * What jansson does not give: adding foreign byte strings, checked field access for documents that
 * anyone may have written, and one way of dumping. jansson's own calls are used beside these.
 */
#ifndef EXHIBIT_JSON_H
#define EXHIBIT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ranges.h"

/* Sets key to s. NULL becomes null. If s is not UTF-8, each offending byte becomes the character
   U+00XX, and the exact bytes stand beside it as KEY_base64. */
void json_set_text(json_t *object, const char *key, const char *s);
void json_set_textf(json_t *object, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void json_set_u64(json_t *object, const char *key, uint64_t v);
void json_set_bool(json_t *object, const char *key, bool v);

/* [ { "offset", "length" } … ]; a new reference. */
json_t *json_from_ranges(const struct ranges *set);

/* Field access: 0, or -1 with an error that names the field if it is missing or of another type.
   The text stays owned by the object; the exact bytes of a text set with json_set_text come back
   from json_get_bytes (the caller frees them). */
int json_get_text(const json_t *object, const char *key, const char **out, struct err *err);
int json_get_u64(const json_t *object, const char *key, uint64_t *out, struct err *err);
char *json_get_bytes(const json_t *object, const char *key);
/* As json_get_text, but NULL where the field is missing, null or not a string. */
const char *json_text_or_null(const json_t *object, const char *key);
/* Takes ranges in ascending order only. */
int json_to_ranges(const json_t *array, struct ranges *out, struct err *err);

/* The whole file as one JSON value (at most max bytes of it; duplicate keys refused). NULL with an
   error that names the line. */
json_t *json_load_file_bounded(const char *path, size_t max, struct err *err);

/* The text of the document, two spaces of indentation, a newline at the end; the caller frees it.
 */
char *json_to_text(const json_t *v);
/* On one line, without the newline. */
char *json_to_line(const json_t *v);

#endif
