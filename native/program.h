/* A program of system calls: its memory and its execution. The wire format is src/kernel/wire.ts. */
#pragma once
#include "util.h"

/* At the head of the mapping, shared with every process that the program clones. */
struct failure {
  uint32_t failed; /* 0, or 1 once `step` and `error` are valid; the first failure stays */
  uint32_t step;
  int32_t error;
};

struct program {
  int connection;
  bool is_child; /* a cloned process: reports through `failure`, never through the connection */
  struct failure *failure;
  size_t mapped;
  const unsigned char *steps;
  uint32_t step_count;
  unsigned char *block;
  uint32_t block_size, result_offset, result_size;
  pid_t children[16]; /* killed when the program fails */
  unsigned child_count;
};

/* Reads the next program of the connection. 1: loaded; 0: the client has left; -1: errno. */
int program_load(struct program *program);
/* Executes from step 0 to `end`. Failures do not return: they are reported and the process leaves. */
void program_run(struct program *program);
/* Drops the shared memory; whatever runs next must not see it. */
void program_unmap(struct program *program);
