#include "log.h"

#include <fcntl.h>
#include <stdio.h> /* rename */
#include <sys/stat.h>
#include <time.h>

#include "protocol.h"

/* Goes on with the file at the log's path, or begins it. Where it cannot be opened all is left as it was. */
static void log_open(struct log *log) {
  struct stat status;
  int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return; /* better a log that is too long than none */
  if (log->fd >= 0) close(log->fd);
  log->fd = fd;
  log->size = fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* "log" for 0, "log.1" for the one before it, and so on. */
static const char *numbered(const struct log *log, int64_t number, char name[4096]) {
  size_t length = strlen(log->path);
  if (length > 4096 - 24) return log->path;
  memcpy(name, log->path, length + 1);
  char digits[24];
  int n = 0;
  for (int64_t rest = number; rest; rest /= 10) digits[n++] = (char)('0' + rest % 10);
  if (n) name[length++] = '.';
  while (n) name[length++] = digits[--n];
  name[length] = 0;
  return name;
}

static void rotate(struct log *log) {
  char from[4096], to[4096];
  if (log->files <= 1) unlink(log->path); /* not truncated: who reads it gets to its end */
  for (int64_t i = log->files - 1; i > 0; i--) rename(numbered(log, i - 1, from), numbered(log, i, to));
  log_open(log);
}

static void put_big_endian(unsigned char *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
}

void log_append(struct log *log, uint8_t stream, unsigned char *record, uint32_t size) {
  if (log->path && log->fd < 0) log_open(log);
  if (!log->path || log->fd < 0) return;
  size_t length = LOG_RECORD_SIZE + (size_t)size;
  if (log->limit > 0 && log->size > 0 && log->size + (int64_t)length > log->limit) rotate(log);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  memset(record, 0, LOG_RECORD_SIZE);
  record[LOG_RECORD_STREAM] = stream;
  put_big_endian(record + LOG_RECORD_LENGTH, size, 4);
  put_big_endian(record + LOG_RECORD_TIME, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, 8);
  for (size_t done = 0; done < length;) {
    ssize_t n = RETRY(write(log->fd, record + done, length - done));
    if (n <= 0) {
      /* A full disk must not stop the container; a torn record must not garble what follows. */
      if (done && ftruncate(log->fd, log->size) != 0) log->path = NULL;
      return;
    }
    done += (size_t)n;
  }
  log->size += (int64_t)length;
}
