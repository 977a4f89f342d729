#include "common/parser_field.h"

#include "common/json.h"
#include "common/text.h"

int
field_text(const json_t *m, const char *key, char **out, struct err *err)
{
    char *s = json_get_bytes(m, key);

    free(*out);
    *out = s;
    if (!s || strlen(s) > FIELD_TEXT_MAX)
        return err_set(err, OUTCOME_FAILED, "'%s' is missing or too long", key);
    return 0;
}

int
field_optional(const json_t *m, const char *key, char **out, struct err *err)
{
    return json_object_get(m, key) ? field_text(m, key, out, err) : 0;
}

int
field_number(const json_t *m, const char *key, uint64_t *out, struct err *err)
{
    if (json_get_u64(m, key, out, err) != 0)
        return -1;
    return *out <= FIELD_NUMBER_MAX ? 0 : err_set(err, OUTCOME_FAILED, "'%s' is absurd", key);
}

int
field_bits(const json_t *m, const char *key, uint64_t *out, struct err *err)
{
    const char *s;
    uint8_t bytes[8];

    if (json_get_text(m, key, &s, err) != 0)
        return -1;
    if (strlen(s) != 18 || strncmp(s, "0x", 2) != 0 || hex_decode(s + 2, bytes, 8) != 8)
        return err_set(err, OUTCOME_FAILED, "'%s' is no 64-bit number", key);
    *out = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        *out = *out << 8 | bytes[i];
    return 0;
}

int
field_choice(const json_t *m, const char *key, const char *const *names, size_t n, size_t *out,
             struct err *err)
{
    const char *s;

    if (json_get_text(m, key, &s, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(s, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return err_set(err, OUTCOME_FAILED, "'%s' is none of those known", key);
}

int
field_numbers(const json_t *m, const struct field_u64 *fields, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (json_get_u64(m, fields[i].key, fields[i].out, err) != 0)
            return -1;
    }
    return 0;
}
