/*
 * The client's side of exhibitd's API (docs/api.md): HTTP over a Unix socket, by libcurl, which
 * nothing but api_client.c includes. What answers is not trusted: sizes are bounded, and each
 * answer must be JSON.
 */
#ifndef EXHIBIT_ACQUIRE_API_CLIENT_H
#define EXHIBIT_ACQUIRE_API_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"

#define API_ANSWER_MAX ((size_t)64 << 20) /* bytes of an answer that is one document */
#define API_EVENT_MAX ((size_t)1 << 20)   /* bytes of a line of a stream */
#define API_ANSWER_S 120L                 /* how long a document may take to come, in seconds */

struct api_client;

/* `socket` is a path. Connects with the first call. */
struct api_client *api_client_new(const char *socket, struct err *err);
void api_client_free(struct api_client *c);

/* True if the last call failed since nobody was there, or went away, or has too much to do: asking
   again later may help. */
bool api_client_is_away(const struct api_client *c);

/* One call: POST with the document `body` or, where that is NULL, GET. The answer; the caller frees
   it. NULL: no daemon there (OUTCOME_FAILED), not allowed to connect (OUTCOME_REFUSED), or what the
   daemon says is wrong, with the outcome that it asks for. */
json_t *api_client_call(struct api_client *c, const char *path, const json_t *body,
                        struct err *err);

/* Reads a stream to its end, and calls take() with each line of it; -1 from there ends it all. */
typedef int (*api_take)(void *me, const json_t *line, struct err *err);
int api_client_follow(struct api_client *c, const char *path, api_take take, void *me,
                      struct err *err);

#endif
