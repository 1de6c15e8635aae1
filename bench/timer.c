/*
 * Times a command: for every byte on stdin it starts `timer COMMAND ARG…`'s command with stdin and stdout at /dev/null, waits
 * for its end, and answers with a line: "nanoseconds status". The command's stderr is ours.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv) {
  char byte;
  if (argc < 2) return 2;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  while (read(0, &byte, 1) == 1) {
    pid_t pid;
    int status = 0;
    long long start = now();
    int error = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
    if (error) {
      fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
      return 127;
    }
    waitpid(pid, &status, 0);
    printf("%lld %d\n", now() - start, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fflush(stdout);
  }
  return 0;
}
