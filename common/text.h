/*
 * Bytes and text: hexadecimal, allocation that cannot fail quietly, and making foreign text safe
 * to print. Names that come from a disk, an image or a path are bytes; nothing here trusts them.
 */
#ifndef EXHIBIT_TEXT_H
#define EXHIBIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for small things (names, options): on exhaustion they end the program with a message, as
   nothing sensible is left to do. Buffers whose size evidence controls use malloc and report. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A copy fit for a terminal or a log line: control characters (C0, DEL, C1), bidirectional
   overrides and bytes that are not valid UTF-8 become \xNN (a byte) or \u{NNNN} (a character).
   The caller frees it. */
char *text_printable(const char *s);
char *text_printable_n(const char *s, size_t n);

/* True where the n bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlongs, no NUL). */
bool text_is_utf8(const char *s, size_t n);

/* The number of bytes of the well-formed UTF-8 sequence at s, its code point in *cp; 0 if none. */
size_t text_utf8_next(const char *s, size_t n, uint32_t *cp);

/* How many bytes of s to take, at most `max`, to end between two characters of UTF-8. In text that
   is none it may be up to three less than there are. */
size_t text_utf8_cut(const char *s, size_t max);

/* How many characters the n bytes of UTF-8 show; wide ones count as one, which at worst misplaces a
   column. */
size_t text_width(const char *s, size_t n);

/* Lower-case hexadecimal; out has room for 2 * n + 1 characters. */
void hex_encode(const void *data, size_t n, char *out);

/* Returns the number of bytes written, or -1 if s is not an even number of hex digits or does not
   fit in max bytes. */
int hex_decode(const char *s, uint8_t *out, size_t max);

/* Standard base64 (RFC 4648, section 4) of n bytes; the caller frees it. */
char *base64_encode(const void *data, size_t n);
/* The bytes, *n of them, with a NUL behind; the caller frees them. NULL if s is not base64. */
uint8_t *base64_decode(const char *s, size_t *n);

/* Compares without regard to case in ASCII only, whatever the locale. */
bool text_equal_nocase(const char *a, const char *b);

#endif
