/* A connection to a monitor: somebody attached to the container's stdio, or a daemon that controls and waits. */
#pragma once
#include "util.h"

enum { STDIN = 1, STDOUT = 2, STDERR = 4 };

struct client {
  int fd;       /* -1: the place is free */
  uint8_t role; /* 0 until its hello, then CONTROL_ATTACH or CONTROL_COMMAND */
  uint8_t mask; /* of an attached client: STDIN | STDOUT | STDERR */
  bool sent_all; /* its stdin has ended */
  uint8_t have; /* bytes of the message that is coming in */
  unsigned char message[8];
  unsigned char *queue; /* output it has not taken yet; NULL when there has never been any */
  uint32_t start, end, capacity;
};

/* Queues a frame (header and bytes; no header for a terminal) and sends what the client takes. */
void client_send(struct client *client, uint8_t stream, bool framed, const unsigned char *bytes, uint32_t size);
/* Sends what is queued; closes a client that has gone. */
void client_flush(struct client *client);
/* Whether it can take one more full read without growing. Where not, the container is read no further. */
bool client_has_room(const struct client *client);
bool client_waiting(const struct client *client);
void client_close(struct client *client);
