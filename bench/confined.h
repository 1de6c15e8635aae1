/*
 * What the limits share: errors, small writes, the clock, and the confinement that a process of a container as Docker makes
 * it by default has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct sock_filter filter[4096];
static struct sock_fprog seccomp = {.filter = filter}; /* no instructions without -c */

static void die(const char *what) {
  fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void must(long result, const char *what) {
  if (result < 0) die(what);
}

__attribute__((format(printf, 2, 3))) static void put(int at, const char *format, ...) {
  char path[512];
  va_list args;
  va_start(args, format);
  vsnprintf(path, sizeof path, format, args);
  va_end(args);
  char *value = strchr(path, '=');
  *value++ = 0;
  int fd = openat(at, path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, value, strlen(value)), path);
  close(fd);
}

static void read_filter(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  must(fd, path);
  ssize_t n = read(fd, filter, sizeof filter);
  must(n, path);
  seccomp.len = (unsigned short)((size_t)n / sizeof *filter);
  close(fd);
}

/* Docker's fourteen capabilities and its filter; nothing inherited, a session keyring of its own. */
static void drop_rights(void) {
  const uint64_t keep = 0xa80425fb;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{.effective = (uint32_t)keep, .permitted = (uint32_t)keep}};
  syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, 0);
  for (int i = 0; i <= CAP_LAST_CAP; i++)
    if (!(keep >> i & 1)) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &seccomp), "seccomp");
  must(syscall(SYS_setgroups, 0, 0) | syscall(SYS_setresgid, 0, 0, 0) | syscall(SYS_setresuid, 0, 0, 0), "become root");
  must(syscall(SYS_capset, &header, data), "capset");
  must(syscall(SYS_close_range, 3, ~0U, 0), "close_range");
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
