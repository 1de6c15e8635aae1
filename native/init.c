#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Signals that init must see as a number rather than be interrupted or stopped by. */
static void block_all(sigset_t *old) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, old);
}

/* Reaps everybody who has ended; returns the exit code of `child` once it is among them, else -1. */
static int reap(pid_t child) {
  int status, code = -1;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code;
}

static _Noreturn void init_loop(pid_t child) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    int number = sigwaitinfo(&all, NULL);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      if (number != SIGTTIN && number != SIGTTOU) kill(child, number);
      continue;
    }
    int code = reap(child);
    if (code >= 0) _exit(code);
  }
}

long init_become(struct program *p) {
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return -1;
  sigset_t old;
  block_all(&old);
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) {
    /* The block is shared with the monitor and this process may be traced by the container's own root: drop it first. */
    program_unmap(p);
    set_title("sampan-init");
    syscall(SYS_close_range, 0U, ~0U, 0U);
    init_loop(child);
  }
  char byte;
  close(gate[1]);
  RETRY(read(gate[0], &byte, 1)); /* until init has dropped everything */
  close(gate[0]);
  setpgid(0, 0);
  signal(SIGTTOU, SIG_IGN);
  tcsetpgrp(0, getpid()); /* no terminal, no effect */
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, &old, NULL);
  return 0;
}
