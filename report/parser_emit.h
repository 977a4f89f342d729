/*
 * What the parser child says: one JSON object a line on stdout, each flushed, so that what was
 * found before a crash is not lost with it. docs/slack.md and parser_reply.h describe the messages.
 */
#ifndef EXHIBIT_REPORT_PARSER_EMIT_H
#define EXHIBIT_REPORT_PARSER_EMIT_H

#include <jansson.h>
#include <stdint.h>

/* Longest label, description or explanation that is sent, bytes. */
#define EMIT_TEXT_MAX 1024

/* A new message of that kind. */
json_t *emit_new(const char *kind);
/* Text cut to EMIT_TEXT_MAX; NULL is left out. */
void emit_text(json_t *message, const char *key, const char *s);
/* Sends the message and frees it. */
void emit_send(json_t *message);

void emit_finding(const char *code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* At most four a second. */
void emit_progress(uint64_t done, uint64_t total);

#endif
