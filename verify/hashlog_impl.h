/*
 * What the files of the log reader share. hashlog.c goes through the lines, hashlog_lines.c knows
 * the shapes of single lines, hashlog_tools.c those that only make sense after others.
 */
#ifndef EXHIBIT_VERIFY_HASHLOG_IMPL_H
#define EXHIBIT_VERIFY_HASHLOG_IMPL_H

#include "verify/hashlog.h"

#define HASHLOG_COLUMNS_MAX 16

/* A line, or a part of one: not terminated. */
struct text {
    const char *p;
    size_t n;
};

struct hashlog_reader {
    struct hashlog *log;
    bool blake2;                                       /* by the file's name: b2sum's */
    size_t line;                                       /* counted from 1 */
    bool deep;                                         /* hashdeep: lines are columns */
    char column[HASHLOG_COLUMNS_MAX][DIGEST_NAME_MAX]; /* hashdeep: "size", a hash, "filename" */
    size_t n_columns;
    bool dc3dd;
    bool input;                 /* dc3dd: inside the input's results */
    char last[DIGEST_NAME_MAX]; /* dc3dd: the algorithm that pieces below belong to */
    uint64_t sector;            /* dc3dd: bytes */
};

/* Each looks at one line and returns true if it is of its kind, whatever came of it. */
bool hashlog_deep_line(struct hashlog_reader *r, struct text line);
bool hashlog_dc3dd_line(struct hashlog_reader *r, struct text line);
bool hashlog_dcfldd_line(struct hashlog_reader *r, struct text line);
bool hashlog_label_line(struct hashlog_reader *r, struct text line);
bool hashlog_tagged_line(struct hashlog_reader *r, struct text line);
bool hashlog_plain_line(struct hashlog_reader *r, struct text line);

/* What a line says. */
struct hashlog_claim {
    const char *hash; /* Exhibit's spelling; NULL: by the length of hex */
    struct text hex;
    const char *file; /* or NULL; one of the log's names */
    uint64_t offset;
    uint64_t length;
};

/* Appends the claim; a hash that is not whole is noted as the log's problem. */
void hashlog_add(struct hashlog_reader *r, const struct hashlog_claim *c);
void hashlog_problem(struct hashlog_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the " offset A-B" of md5deep and hashdeep, both ends counted, off the name. */
void hashlog_piece_suffix(struct text *file, struct hashlog_claim *c);

/* A name owned by the log. */
const char *hashlog_name(struct hashlog *log, struct text t);
void hashlog_output(struct hashlog_reader *r, struct text name);
void hashlog_tool(struct hashlog_reader *r, const char *tool);

/* --- text --- */

bool text_starts(struct text t, const char *s);
/* Takes s off the front if it stands there. */
bool text_skip(struct text *t, const char *s);
void text_skip_blanks(struct text *t);
struct text text_trim(struct text t);
/* Takes off and returns what stands before the first of the characters in `ends`, or all. */
struct text text_until(struct text *t, const char *ends);
bool text_number(struct text *t, uint64_t *out);
/* The digits at the front that are hexadecimal. */
size_t text_hex_digits(struct text t);
/* The algorithm that the text names ("SHA-256", "sha1"), brought into Exhibit's spelling. */
bool text_hash_name(struct text t, char name[DIGEST_NAME_MAX]);

#endif
