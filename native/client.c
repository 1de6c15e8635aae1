#include "client.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include "protocol.h"

enum { QUEUE = 512 * 1024, ROOM = 272 * 1024 };

void client_close(struct client *c) {
  if (c->fd >= 0) close(c->fd);
  if (c->queue) munmap(c->queue, c->capacity);
  *c = (struct client){.fd = -1};
}

bool client_waiting(const struct client *c) { return c->end > c->start; }

bool client_has_room(const struct client *c) { return !c->queue || c->capacity - (c->end - c->start) >= ROOM; }

/* Makes room for `size` more bytes at the end of the queue. Grows only while the output of an ended process is drained. */
static bool client_reserve(struct client *c, uint32_t size) {
  if (c->queue && c->start > 0 && c->capacity - c->end < size) {
    memmove(c->queue, c->queue + c->start, c->end - c->start);
    c->end -= c->start;
    c->start = 0;
  }
  if (c->queue && c->capacity - c->end >= size) return true;
  uint32_t wanted = c->capacity ? c->capacity * 2 : QUEUE;
  while (wanted - c->end < size) wanted *= 2;
  void *grown = c->queue ? mremap(c->queue, c->capacity, wanted, MREMAP_MAYMOVE)
                         : mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (grown == MAP_FAILED) return false;
  c->queue = grown;
  c->capacity = wanted;
  return true;
}

/* As many bytes as the socket takes now; -1 when the client has gone. */
static ssize_t send_some(int fd, const unsigned char *bytes, uint32_t size) {
  ssize_t n = RETRY(send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT));
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : n;
}

unsigned char *client_frame(unsigned char *bytes, uint8_t stream, uint32_t size) {
  unsigned char *frame = bytes - FRAME_HEADER;
  const unsigned char header[FRAME_HEADER] = {stream, 0, 0, 0, (unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                              (unsigned char)(size >> 8), (unsigned char)size};
  memcpy(frame, header, sizeof header);
  return frame;
}

void client_send(struct client *c, const unsigned char *bytes, uint32_t size) {
  if (c->fd < 0) return;
  ssize_t sent = client_waiting(c) ? 0 : send_some(c->fd, bytes, size);
  if (sent < 0 || ((uint32_t)sent < size && !client_reserve(c, size - (uint32_t)sent))) {
    client_close(c);
    return;
  }
  if ((uint32_t)sent == size) return;
  memcpy(c->queue + c->end, bytes + sent, size - (uint32_t)sent);
  c->end += size - (uint32_t)sent;
}

void client_flush(struct client *c) {
  if (!client_waiting(c)) return;
  ssize_t sent = send_some(c->fd, c->queue + c->start, c->end - c->start);
  if (sent < 0) {
    client_close(c);
    return;
  }
  c->start += (uint32_t)sent;
  if (c->start < c->end) return;
  munmap(c->queue, c->capacity);
  c->queue = NULL;
  c->start = c->end = c->capacity = 0;
}
