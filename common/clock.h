/*
 * Wall-clock time as RFC 3339 UTC text, and the monotonic clock for rates and deadlines.
 */
#ifndef EXHIBIT_CLOCK_H
#define EXHIBIT_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_MAX 32

/* Seconds since the epoch (UTC). */
int64_t clock_now(void);
/* Milliseconds of the same. */
int64_t clock_now_ms(void);

/* "2026-11-21T01:57:00Z" in buf (CLOCK_TEXT_MAX bytes); returns buf. */
char *clock_text(int64_t epoch, char *buf);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_monotonic_ns(void);

#endif
