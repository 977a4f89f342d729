/*
 * HTTP on one connection, by libmicrohttpd: one request after the other, each whole before it is
 * answered, all of bounded size and time. The only file that includes the library is api_http.c.
 */
#ifndef EXHIBIT_ACQUIRE_API_HTTP_H
#define EXHIBIT_ACQUIRE_API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

#define API_BODY_MAX 65536 /* bytes of a request's body */
#define API_HEAD_MAX 32768 /* of its head, and of all else that the library keeps of it */
#define API_IDLE_S 30      /* a connection on which nothing comes or goes is closed */
#define API_REQUEST_S 60   /* and one whose request is not whole by then */

struct api_request {
    const char *method, *path;
    const char *since; /* the argument of that name, or NULL */
    const char *body;  /* NUL-terminated, never NULL */
    size_t n;
};

struct api_answer {
    unsigned status;
    char *body;        /* JSON; taken over and freed; NULL with `stream` */
    bool stream;       /* the body comes bit by bit from more() */
    const char *allow; /* with 405: the methods that there are */
};

struct api_calls {
    void (*answer)(void *me, const struct api_request *request, struct api_answer *out);
    /* The next bytes of a stream: how many; 0: none yet; -1: that was the end. */
    ssize_t (*more)(void *me, char *buf, size_t max);
    void *me;
    int source; /* readable when there is more for a stream */
};

struct api_http;

/* Takes the connection over. */
struct api_http *api_http_new(int connection, const struct api_calls *calls, struct err *err);

/* Serves until the client has gone, or was too slow. */
void api_http_serve(struct api_http *h);

void api_http_free(struct api_http *h);

#endif
