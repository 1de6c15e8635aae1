#include "util.h"

#include <sys/socket.h>

#include "protocol.h"

static char *arguments;
static size_t arguments_size;

void keep_arguments(int argc, char **argv) {
  arguments = argv[0];
  arguments_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - arguments);
}

void set_title(const char *title) {
  if (!arguments) return;
  size_t length = strnlen(title, arguments_size - 1);
  memset(arguments, 0, arguments_size);
  memcpy(arguments, title, length);
}

int read_all(int fd, void *to, size_t size, size_t *done) {
  *done = 0;
  while (*done < size) {
    ssize_t n = RETRY(read(fd, (char *)to + *done, size - *done));
    if (n == 0) errno = ENODATA;
    if (n <= 0) return -1;
    *done += (size_t)n;
  }
  return 0;
}

int send_all(int fd, const void *from, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = RETRY(send(fd, (const char *)from + done, size - done, MSG_NOSIGNAL));
    if (n < 0) return -1;
    done += (size_t)n;
  }
  return 0;
}

int send_reply(int fd, uint32_t kind, int32_t error, uint32_t step, const void *results, uint32_t size) {
  unsigned char header[REPLY_HEADER_BYTES];
  store32(header + REPLY_HEADER_KIND, kind);
  store32(header + REPLY_HEADER_SIZE, size);
  store32(header + REPLY_HEADER_ERRNO, (uint32_t)error);
  store32(header + REPLY_HEADER_STEP, step);
  if (send_all(fd, header, sizeof header) != 0) return -1;
  return size ? send_all(fd, results, size) : 0;
}
