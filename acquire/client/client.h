/*
 * exhibit-client: the commands that speak to exhibitd. Each is a row of a table in client.c, with
 * its options; what it does is a function of one of the files client_*.c.
 */
#ifndef EXHIBIT_ACQUIRE_CLIENT_H
#define EXHIBIT_ACQUIRE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "acquire/client/api_client.h"
#include "common/err.h"
#include "common/progress.h"

/* What the command line says; strings are its own. */
struct client_call {
    const char *command; /* "pause" */
    const char *socket;  /* or NULL */
    bool json, discard;
    enum progress_mode progress;
    char **options; /* of exhibit-acquire, a word each */
    size_t n_options;
    char **operands;
    uint64_t id; /* the first operand, where the command takes a job */
    struct api_client *api;
    int outcome; /* the exit code, where it is not that of an error */
};

int client_submit(struct client_call *call, struct err *err);
int client_jobs(struct client_call *call, struct err *err);
int client_watch(struct client_call *call, struct err *err);
/* pause, resume and cancel. */
int client_steer(struct client_call *call, struct err *err);
int client_release(struct client_call *call, struct err *err);

/* Follows the events of the job to its end, over restarts of the daemon; shows progress and
   messages as call->progress says. The last state, which is the caller's to free. */
json_t *client_follow(struct client_call *call, struct err *err);

/* Prints a document of the daemon's, whole, on standard output. */
void client_print(const json_t *v);

/* The path with the working directory before it where it is relative; the caller frees it. */
char *client_absolute(const char *path, struct err *err);

#endif
