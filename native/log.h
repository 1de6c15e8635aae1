/* A container's log: records of a 16-byte header and the bytes as they came, rotated by size. */
#pragma once
#include "util.h"

struct log {
  int fd;           /* -1 until the first output comes */
  const char *path; /* NULL: nothing is logged */
  int64_t size, limit, files; /* limit 0: never rotate; files counts the current one */
};

/* Appends `size` bytes that came from `stream`; `record` has LOG_RECORD_SIZE bytes of room before them. */
void log_append(struct log *log, uint8_t stream, unsigned char *record, uint32_t size);
