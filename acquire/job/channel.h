/*
 * Messages between a front and its worker: one JSON object a packet on a SOCK_SEQPACKET socket,
 * with its kind in "type". Both run as the same user; the worker is the one that touched foreign
 * bytes, so the front takes nothing from it for granted.
 */
#ifndef EXHIBIT_ACQUIRE_CHANNEL_H
#define EXHIBIT_ACQUIRE_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"

#define CHANNEL_MESSAGE_MAX ((size_t)128 << 10)

/* Any thread; takes over the reference to m, which may not be NULL. */
int channel_send(int sock, json_t *m, struct err *err);

/* The next message (a new reference), or NULL: *end says that the other side has gone, else err
   that the message is malformed or the socket broken. */
json_t *channel_receive(int sock, bool *end, struct err *err);

#endif
