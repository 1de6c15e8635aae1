/* The vocabulary that every unit of the helper uses. No stdio, no malloc: a monitor lives as long as its container. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Runs the expression again while a signal interrupts it. */
#define RETRY(expression)                                                                                              \
  ({                                                                                                                   \
    long retry_result;                                                                                                 \
    do                                                                                                                 \
      retry_result = (long)(expression);                                                                               \
    while (retry_result == -1 && errno == EINTR);                                                                      \
    retry_result;                                                                                                      \
  })

/* Unaligned little-endian loads and stores; both supported machines are little-endian. */
static inline uint16_t load16(const void *from) { uint16_t v; memcpy(&v, from, sizeof v); return v; }
static inline uint32_t load32(const void *from) { uint32_t v; memcpy(&v, from, sizeof v); return v; }
static inline uint64_t load64(const void *from) { uint64_t v; memcpy(&v, from, sizeof v); return v; }
static inline void store32(void *to, uint32_t v) { memcpy(to, &v, sizeof v); }
static inline void store64(void *to, uint64_t v) { memcpy(to, &v, sizeof v); }

/* All of `size` bytes or -1; *done tells how many were read. The end of the stream is ENODATA. */
int read_all(int fd, void *to, size_t size, size_t *done);
/* All of `size` bytes or -1. */
int send_all(int fd, const void *from, size_t size);
/* Lets `ps` show `title`: writes over this process's arguments, as far as they reach. */
void set_title(const char *title);
/* For set_title: where the arguments are. */
void keep_arguments(int argc, char **argv);
/* Sends a reply: the fixed header, then `size` bytes of results. */
int send_reply(int fd, uint32_t kind, int32_t error, uint32_t step, const void *results, uint32_t size);
