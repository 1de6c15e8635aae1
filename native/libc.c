/*
 * The few calls of the C library that the helper makes, straight to the kernel. A monitor lives as long as its
 * container: with a whole libc linked in, its pages alone would be twice the budget, and fork would be slower. The
 * declarations are the system's headers; the sanitizer build links the real library instead of this file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int last_error;
char **environ;

int *__errno_location(void) { return &last_error; }

#if defined(__x86_64__)
static long raw(long n, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n hlt\n");
#elif defined(__aarch64__)
static long raw(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n and sp, x0, #-16\n bl start\n");
#else
#error "Sampan runs on x86-64 and arm64"
#endif

static long result_of(long result) {
  if (result >= 0 || result < -4095) return result;
  last_error = (int)-result;
  return -1;
}

#define CALL(...) CALL_N(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define CALL_N(n, a, b, c, d, e, f, ...) \
  result_of(raw(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

int main(int argc, char **argv);
__attribute__((used)) static void start(long *stack) {
  environ = (char **)(stack + stack[0] + 2);
  _exit(main((int)stack[0], (char **)(stack + 1)));
}

long syscall(long n, ...) {
  va_list list;
  long a[6];
  va_start(list, n);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  return CALL(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The third argument of open, fcntl, ioctl and prctl, and what else follows, as far as the helper uses it. */
#define REST(name, last) \
  va_list list; \
  va_start(list, last); \
  long name = va_arg(list, long); \
  va_end(list)

void _exit(int status) { for (;;) CALL(SYS_exit_group, status); }
pid_t fork(void) { return (pid_t)CALL(SYS_clone, SIGCHLD); }
pid_t getpid(void) { return (pid_t)CALL(SYS_getpid); }
uid_t geteuid(void) { return (uid_t)CALL(SYS_geteuid); }
pid_t setsid(void) { return (pid_t)CALL(SYS_setsid); }
int setpgid(pid_t pid, pid_t group) { return (int)CALL(SYS_setpgid, pid, group); }
int kill(pid_t pid, int number) { return (int)CALL(SYS_kill, pid, number); }
pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)CALL(SYS_wait4, pid, status, options); }
ssize_t read(int fd, void *to, size_t size) { return CALL(SYS_read, fd, to, size); }
ssize_t write(int fd, const void *from, size_t size) { return CALL(SYS_write, fd, from, size); }
ssize_t send(int fd, const void *from, size_t size, int flags) { return CALL(SYS_sendto, fd, from, size, flags); }
ssize_t recv(int fd, void *to, size_t size, int flags) { return CALL(SYS_recvfrom, fd, to, size, flags); }
int close(int fd) { return (int)CALL(SYS_close, fd); }
int dup2(int from, int to) { return (int)CALL(SYS_dup3, from, to, 0); }
int pipe2(int fds[2], int flags) { return (int)CALL(SYS_pipe2, fds, flags); }
int open(const char *path, int flags, ...) {
  REST(mode, flags);
  return (int)CALL(SYS_openat, AT_FDCWD, path, flags, mode);
}
int fcntl(int fd, int command, ...) {
  REST(argument, command);
  return (int)CALL(SYS_fcntl, fd, command, argument);
}
int ioctl(int fd, unsigned long request, ...) {
  REST(argument, request);
  return (int)CALL(SYS_ioctl, fd, request, argument);
}
int prctl(int option, ...) {
  REST(argument, option);
  return (int)CALL(SYS_prctl, option, argument);
}
int fstat(int fd, struct stat *status) { return (int)CALL(SYS_fstat, fd, status); }
int fchmod(int fd, mode_t mode) { return (int)CALL(SYS_fchmod, fd, mode); }
int ftruncate(int fd, off_t size) { return (int)CALL(SYS_ftruncate, fd, size); }
int rename(const char *from, const char *to) { return (int)CALL(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to); }
int unlink(const char *path) { return (int)CALL(SYS_unlinkat, AT_FDCWD, path); }
int chdir(const char *path) { return (int)CALL(SYS_chdir, path); }
mode_t umask(mode_t mask) { return (mode_t)CALL(SYS_umask, mask); }
ssize_t readlink(const char *path, char *to, size_t size) { return CALL(SYS_readlinkat, AT_FDCWD, path, to, size); }
int memfd_create(const char *name, unsigned flags) { return (int)CALL(SYS_memfd_create, name, flags); }
ssize_t sendfile(int to, int from, off_t *at, size_t size) { return CALL(SYS_sendfile, to, from, at, size); }
int fexecve(int fd, char *const argv[], char *const env[]) { return (int)CALL(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH); }
int socket(int domain, int type, int protocol) { return (int)CALL(SYS_socket, domain, type, protocol); }
int bind(int fd, const struct sockaddr *address, socklen_t size) { return (int)CALL(SYS_bind, fd, address, size); }
int listen(int fd, int backlog) { return (int)CALL(SYS_listen, fd, backlog); }
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) { return (int)CALL(SYS_accept4, fd, address, size, flags); }
int shutdown(int fd, int how) { return (int)CALL(SYS_shutdown, fd, how); }
int getsockopt(int fd, int level, int name, void *value, socklen_t *size) { return (int)CALL(SYS_getsockopt, fd, level, name, value, size); }
int tcsetpgrp(int fd, pid_t group) { return ioctl(fd, TIOCSPGRP, &group); }
int clock_gettime(clockid_t clock, struct timespec *now) { return (int)CALL(SYS_clock_gettime, clock, now); }
int munmap(void *at, size_t size) { return (int)CALL(SYS_munmap, at, size); }
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  return (void *)CALL(SYS_mmap, at, size, protection, flags, fd, offset);
}
void *mremap(void *at, size_t size, size_t wanted, int flags, ...) { return (void *)CALL(SYS_mremap, at, size, wanted, flags); }
int poll(struct pollfd *polled, nfds_t count, int milliseconds) {
  struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return (int)CALL(SYS_ppoll, polled, count, milliseconds < 0 ? NULL : &limit, NULL, 8);
}

/* struct sigaction of the kernel; SIG_IGN and SIG_DFL, all the helper uses, need no restorer. */
__sighandler_t signal(int number, __sighandler_t handler) {
  struct { __sighandler_t handler; unsigned long flags; void *restorer; uint64_t mask; } action = {.handler = handler};
  return CALL(SYS_rt_sigaction, number, &action, NULL, 8) < 0 ? SIG_ERR : handler;
}
int sigfillset(sigset_t *set) { memset(set, 0xff, sizeof *set); return 0; }
int sigprocmask(int how, const sigset_t *set, sigset_t *old) { return (int)CALL(SYS_rt_sigprocmask, how, set, old, 8); }
int sigwaitinfo(const sigset_t *set, siginfo_t *info) { return (int)CALL(SYS_rt_sigtimedwait, set, info, NULL, 8); }

/* The compiler makes calls of these of its own accord; -fno-tree-loop-distribute-patterns keeps it from doing so in here. */
void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  for (size_t i = 0; i < size; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}
void *memmove(void *to, const void *from, size_t size) {
  if (to <= from) return memcpy(to, from, size);
  while (size--) ((char *)to)[size] = ((const char *)from)[size];
  return to;
}
void *memset(void *to, int byte, size_t size) {
  for (size_t i = 0; i < size; i++) ((char *)to)[i] = (char)byte;
  return to;
}
size_t strnlen(const char *text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length]) length++;
  return length;
}
size_t strlen(const char *text) { return strnlen(text, SIZE_MAX); }
char *strcpy(char *restrict to, const char *restrict from) { return memcpy(to, from, strlen(from) + 1); }
int strncmp(const char *a, const char *b, size_t limit) {
  for (size_t i = 0; i < limit; i++)
    if (a[i] != b[i] || !a[i]) return (unsigned char)a[i] - (unsigned char)b[i];
  return 0;
}
