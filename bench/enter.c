/*
 * The limit of exec: the kernel's own work for one more process in a running container, and nothing else.
 *
 *   enter [-c FILTER] PID PROGRAM     one process per byte on stdin; each answers with a line: nanoseconds
 *
 * PID is a process of the container, whose namespaces and cgroups are entered; with -c with Docker's capabilities and the
 * filter in the file FILTER. PROGRAM is one in there that ends at once, e.g. /bin/true. What it writes goes through a pipe and
 * is read to its end, as whoever asked for the process reads it.
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "confined.h"

enum { MOST = 16, JOINED = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP };

/* Directories of the container's cgroups: one per hierarchy of v1 that has controllers, or the one of v2. */
static char groups[MOST][512];
static int count, unified;

/* proc_pid_cgroup(5): "ID:controllers:path"; where it is mounted is what the controllers are called. */
static void find_groups(const char *pid) {
  char file[64], line[1024];
  unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  snprintf(file, sizeof file, "/proc/%s/cgroup", pid);
  FILE *lines = fopen(file, "r");
  must(lines ? 0 : -1, file);
  while (count < MOST && fgets(line, sizeof line, lines)) {
    line[strcspn(line, "\n")] = 0;
    char *names = strchr(line, ':') + 1, *path = strchr(names, ':');
    *path++ = 0;
    if (unified) snprintf(groups[count++], sizeof *groups, "/sys/fs/cgroup%.400s", path);
    else if (*names && strncmp(names, "name=", 5)) snprintf(groups[count++], sizeof *groups, "/sys/fs/cgroup/%.64s%.400s", names, path);
  }
  fclose(lines);
}

static void child(int container, int out, const char *program) {
  for (int i = 0; !unified && i < count; i++) put(AT_FDCWD, "%s/tasks=0", groups[i]);
  must(setns(container, JOINED & ~CLONE_NEWPID), "enter the namespaces");
  must(setsid(), "setsid");
  must(dup2(out, 1), "dup2");
  must(chdir("/"), "chdir");
  if (seccomp.len) drop_rights();
  execl(program, program, (char *)0);
  die(program);
}

static void process(pid_t target, const char *program) {
  int out[2], status, group = -1;
  char bytes[512];
  must(pipe2(out, O_CLOEXEC), "pipe");
  int container = (int)syscall(SYS_pidfd_open, target, 0);
  must(container, "open the container's process");
  must(setns(container, CLONE_NEWPID), "enter the PID namespace");
  struct clone_args args = {.exit_signal = SIGCHLD};
  if (unified) {
    group = open(groups[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(group, groups[0]);
    args.flags |= CLONE_INTO_CGROUP, args.cgroup = (uint64_t)group;
  }
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) child(container, out[1], program);
  close(out[1]);
  close(container);
  if (group >= 0) close(group);
  while (read(out[0], bytes, sizeof bytes) > 0) continue;
  close(out[0]);
  must(waitpid((pid_t)pid, &status, 0), "wait");
  if (status) errno = ECHILD, die("the process failed");
}

int main(int argc, char **argv) {
  if (argc == 5 && !strcmp(argv[1], "-c")) read_filter(argv[2]), argv += 2, argc -= 2;
  if (argc != 3) {
    fprintf(stderr, "usage: enter [-c FILTER] PID PROGRAM\n");
    return 2;
  }
  find_groups(argv[1]);
  char byte;
  while (read(0, &byte, 1) == 1) {
    int64_t start = now();
    process((pid_t)atoi(argv[1]), argv[2]);
    printf("%lld\n", (long long)(now() - start));
    fflush(stdout);
  }
  return 0;
}
