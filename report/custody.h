/*
 * DEST.custody.jsonl, the ledger of an exhibit: one JSON object a line. The report shows it; it
 * does not check its chain (exhibit-verify(1) does). Anyone may have written the file.
 */
#ifndef EXHIBIT_REPORT_CUSTODY_H
#define EXHIBIT_REPORT_CUSTODY_H

#include "report/model.h"

/* What one entry says, by the names that the forms have for it; each a JSON value or NULL. */
struct custody_event {
    const json_t *when;
    const json_t *action;
    const json_t *from;
    const json_t *to;
    const json_t *place;
    const json_t *reason;
    const json_t *user;
};

void custody_event_of(const json_t *entry, struct custody_event *out);

/* Somebody gave it to somebody: an entry to be signed. */
bool custody_is_transfer(const struct custody_event *e);
/* "root (user ID 0)", or what stands there instead; the caller frees it. NULL: nothing does. */
char *custody_user(const struct custody_event *e);

/* Reads the ledger at `path` into r->custody (an array; NULL if there is no such file). What cannot
   be read in it is a finding. */
void custody_read(struct report *r, const char *path);

#endif
