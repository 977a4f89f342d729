/*
 * DEST.custody.jsonl, schema "exhibit.custody/1" (docs/custody.md): who did what with an image, one
 * event a line, in order. Each line names the SHA-256 of the line before (`previous`: over its
 * exact bytes, newline included; `sed -n 3p FILE | sha256sum` gives it) and ends with the SHA-256
 * of its own bytes before that field (`hash`), so that a change in the last line shows as well. A
 * ledger is a file that anyone may have written: it is read with bounds and in full before it is
 * believed.
 */
#ifndef EXHIBIT_LEDGER_H
#define EXHIBIT_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/signature.h"

#define LEDGER_SCHEMA "exhibit.custody/1"
#define LEDGER_SUFFIX ".custody.jsonl"
#define LEDGER_HASH_MAX 65 /* 64 hex digits and the end */

struct ledger_line {
    json_t *event;              /* the whole line */
    char hash[LEDGER_HASH_MAX]; /* of the line and its newline: the head, after this line */
    size_t offset;              /* of the line in `text` */
    size_t signed_length;       /* bytes that its signature covers; 0: not signed */
};

struct ledger {
    char *text; /* the file */
    size_t size;
    struct ledger_line *v; /* the lines that fit, from the first */
    size_t n;
    size_t broken; /* the number, from 1, of the first line that does not fit; 0: all fit */
    char why[256]; /* if broken */
    size_t torn;   /* bytes after the last newline: a line that was never whole */
};

/* Reads and checks the ledger `name` in dirfd. What is wrong with it is in *out; an error is only
   that it cannot be read (err->sys is ENOENT where there is none). */
int ledger_read(int dirfd, const char *name, struct ledger *out, struct err *err);
void ledger_clear(struct ledger *l);

/* A new event with the time, the user as the kernel knows them, and the host. */
json_t *ledger_event(const char *action);

/* Adds the event (taken over) as a line, signed by `by` unless that is NULL, and syncs it. Waits
   for another writer. A line that was torn is cut off first, and the new one says so; a ledger that
   is broken is refused. On a failed write the file is as it was. `head` (or NULL) takes the new
   head. */
int ledger_append(int dirfd, const char *name, json_t *event, const struct signer *by,
                  char head[LEDGER_HASH_MAX], struct err *err);

/* The last line with that action, or NULL. */
const struct ledger_line *ledger_last(const struct ledger *l, const char *action);

/* Whether `head` is, or once was, the head of this ledger. */
bool ledger_has_head(const struct ledger *l, const char *head);

#endif
