/* A connection to a monitor: somebody attached to the container's stdio, or a daemon that controls and waits. */
#pragma once
#include "util.h"

enum { STDIN = 1, STDOUT = 2, STDERR = 4, FRAME_HEADER = 8 };

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

/* Makes a frame of Docker's in the room before `bytes` and returns where it begins. Terminals have none. */
unsigned char *client_frame(unsigned char *bytes, uint8_t stream, uint32_t size);
/* Sends, and queues what the client does not take now. A frame goes at once: who reads once gets more than its header. */
void client_send(struct client *client, const unsigned char *bytes, uint32_t size);
/* Sends what is queued; closes a client that has gone. */
void client_flush(struct client *client);
/* Whether it can take one more full read without growing. Where not, the container is read no further. */
bool client_has_room(const struct client *client);
bool client_waiting(const struct client *client);
void client_close(struct client *client);
