/*
 * The API: a table of methods and paths, each asking the core and answering in JSON.
 */
#ifndef EXHIBIT_ACQUIRE_API_CALLS_H
#define EXHIBIT_ACQUIRE_API_CALLS_H

#include "acquire/daemon/api_http.h"

struct api;

/* On the core's socket. With `forbidden`, every request is refused: the client may not come in. */
struct api *api_new(int core, bool forbidden);
void api_free(struct api *api);

/* For struct api_calls; `me` is the struct api. */
void api_answer(void *me, const struct api_request *request, struct api_answer *out);
ssize_t api_more(void *me, char *buf, size_t max);

/* True once the core has gone: there is nobody left to ask. */
bool api_is_over(const struct api *api);

#endif
