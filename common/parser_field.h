/*
 * Fields of the parser's messages, checked as they are taken: the process that sends them works on
 * hostile disks and may have been taken over.
 */
#ifndef EXHIBIT_PARSER_FIELD_H
#define EXHIBIT_PARSER_FIELD_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"

/* Bytes of one text. */
#define FIELD_TEXT_MAX 4096
/* Sectors and bytes of any disk stay far below this, so that sums of a few cannot overflow. */
#define FIELD_NUMBER_MAX (UINT64_C(1) << 60)

/* Replaces *out, which the caller frees also after an error. */
int field_text(const json_t *m, const char *key, char **out, struct err *err);
/* The same; *out stays as it is where the field is missing. */
int field_optional(const json_t *m, const char *key, char **out, struct err *err);
/* At most FIELD_NUMBER_MAX. */
int field_number(const json_t *m, const char *key, uint64_t *out, struct err *err);
/* 64 bits as "0x" and 16 hexadecimal digits. */
int field_bits(const json_t *m, const char *key, uint64_t *out, struct err *err);
/* The place in `names` of the text that stands there. */
int field_choice(const json_t *m, const char *key, const char *const *names, size_t n, size_t *out,
                 struct err *err);

struct field_u64 {
    const char *key;
    uint64_t *out;
};
/* Any numbers that are not negative. */
int field_numbers(const json_t *m, const struct field_u64 *fields, size_t n, struct err *err);

#endif
