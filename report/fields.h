/*
 * Which facts a report names, in which order and by which names, so that the page and the text say
 * the same: every field that a manifest may have has its row, whether it is recorded or not.
 */
#ifndef EXHIBIT_REPORT_FIELDS_H
#define EXHIBIT_REPORT_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

struct fields_section {
    const char *id;    /* of the HTML section */
    const char *key;   /* of the manifest's object */
    const char *title; /* of the section */
    /* Rows in their order; "meta.seal" is a field of a field. What the object holds besides follows
       under its own name. NULL at the end. */
    const char *const *paths;
    const char *const *skip; /* shown elsewhere; NULL at the end */
};

extern const struct fields_section fields_case;
extern const struct fields_section fields_source;
extern const struct fields_section fields_write_block;
extern const struct fields_section fields_acquisition;
extern const struct fields_section fields_image;
extern const struct fields_section fields_verification;
extern const struct fields_section fields_proof;

#define FIELDS_LABEL_MAX 96

/* What people call the field, in buf: "case_number" is "Case number". Foreign text stays raw. */
const char *fields_label(const char *key, char buf[FIELDS_LABEL_MAX]);

/* The exact bytes of another field, for programs. */
bool fields_is_hidden(const char *key);
/* How a number of that name is to be read. */
bool fields_is_bytes(const char *key);
bool fields_is_name(const char *key);
/* Hashes, paths and the like: each character counts. */
bool fields_is_exact(const char *key);

/* Nothing was recorded: NULL, null, an empty text or an object with no value in it. */
bool fields_is_missing(const json_t *v);

/* A volume of the JSON document with its fields named so that their units show; a new reference. */
json_t *fields_of_volume(const json_t *v);

/* What stands in place of such a value: "not recorded", but for fields where null says something.
 */
const char *fields_missing(const char *key);

/* A row of a section: v is NULL where nothing is recorded. `key` says how the value is shown. */
typedef void fields_row(void *arg, const char *key, const char *label, const json_t *v);

/* All rows of the section; false, without a row, where the manifest has no such object. */
bool fields_each(const json_t *facts, const struct fields_section *s, fields_row *row, void *arg);

#endif
