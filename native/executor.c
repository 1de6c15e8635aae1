/*
 * The executor: listens on a Unix socket and forks a worker for each connection. A worker executes the programs of its
 * connection; one that supervises a process has become that container's monitor and outlives everybody else.
 *
 * usage: executor SOCKET      standard input is the daemon's: when it ends, the executor leaves and the monitors stay.
 *                             Writes "ready\n" to standard output once it listens.
 *        executor - FD        one worker only, whose connection is descriptor FD; the standard streams stay as they are, for
 *                             what it starts. For a command without a daemon; its caller waits for it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "program.h"
#include "protocol.h"

extern char **environ;

/* One line on standard error that ends with the errno; the daemon knows its name. */
static _Noreturn void die(const char *what) {
  char number[] = "000\n";
  for (int rest = errno, i = 2; i >= 0; i--, rest /= 10) number[i] = (char)('0' + rest % 10);
  const char *parts[] = {"cannot ", what, ": errno ", number};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (write(2, parts[i], strlen(parts[i])) < 0) break;
  _exit(1);
}

/*
 * Runs on from a sealed copy in memory. A process that is about to become, or to be PID 1 of, a container still runs
 * this file: through /proc/PID/exe a container could overwrite it on the host (CVE-2019-5736). Nobody can write a sealed memfd.
 */
static void seal_self(char **argv) {
  char self[64];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n < 0) die("read /proc/self/exe");
  self[n] = 0;
  if (strncmp(self, "/memfd:", 7) == 0) return;
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int copy = memfd_create("sampan-executor", flags | 0x10U /* MFD_EXEC, Linux 6.3 */);
  if (copy < 0) copy = memfd_create("sampan-executor", flags);
  struct stat status;
  if (from < 0 || copy < 0 || fstat(from, &status) != 0) die("copy itself to memory");
  for (off_t at = 0; at < status.st_size;)
    if (sendfile(copy, from, &at, (size_t)(status.st_size - at)) <= 0) die("copy itself to memory");
  if (fchmod(copy, 0500) != 0 || fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    die("seal its copy");
  /* The spaces are room for set_title: a monitor's title holds its container's id. */
  static char room[] = "                                                                                ";
  char *last = argv[1][0] == '-' ? argv[2] : room;
  char *arguments[] = {argv[0], argv[1], last, argv[1][0] == '-' ? room : NULL, NULL};
  fexecve(copy, arguments, environ);
  die("run its sealed copy (is vm.memfd_noexec set?)");
}

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die("listen");
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("make a socket");
  unlink(path);
  umask(077);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) die("listen on its socket");
  umask(022);
  return fd;
}

static _Noreturn void worker(int connection) {
  struct program program = {.connection = connection};
  signal(SIGCHLD, SIG_DFL); /* what is ignored here would be ignored in the container */
  signal(SIGINT, SIG_DFL);
  for (;;) {
    int loaded = program_load(&program);
    if (loaded == 0) _exit(0);
    if (loaded < 0) {
      send_reply(connection, REPLY_FAILURE, errno, UINT32_MAX, NULL, 0);
      _exit(1);
    }
    program_run(&program);
  }
}

static bool same_user(int connection) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static void serve(int listener, int null) {
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return;
  pid_t pid = same_user(connection) ? fork() : -1;
  if (pid == 0) {
    setsid();
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    close(listener);
    close(null);
    worker(connection);
  }
  if (pid < 0 && errno == EAGAIN) send_reply(connection, REPLY_FAILURE, EAGAIN, UINT32_MAX, NULL, 0);
  close(connection);
}

static int number_of(const char *digits) {
  int number = 0;
  while (*digits >= '0' && *digits <= '9' && number < 1 << 20) number = 10 * number + (*digits++ - '0');
  return number;
}

/* What a program of Node ends as (src/kernel/leave.ts): nobody beside it is left with streams that do not block. */
static _Noreturn void leave(int status) {
  for (int fd = 0; fd < 3; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  _exit(status);
}

int main(int argc, char **argv) {
  if (argc == 3 && strncmp(argv[1], "leave", 6) == 0) leave(number_of(argv[2]));
  if (argc < 2 || (argv[1][0] == '-' && argc < 3)) {
    errno = EINVAL;
    die("start: usage is executor SOCKET, executor - FD, or executor leave STATUS");
  }
  seal_self(argv);
  keep_arguments(argc, argv);
  prctl(PR_SET_NAME, "sampan-executor");
  if (argv[1][0] == '-') {
    int connection = number_of(argv[2]);
    if (fcntl(connection, F_SETFD, FD_CLOEXEC) != 0) die("use the connection it was given");
    worker(connection);
  }
  signal(SIGCHLD, SIG_IGN); /* workers are reaped by the kernel */
  signal(SIGINT, SIG_IGN);  /* a Ctrl-C for the daemon is the daemon's to act on */
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) die("open /dev/null");
  int listener = listen_at(argv[1]);
  if (chdir("/") != 0) die("change to /");
  if (write(1, "ready\n", 6) != 6) die("report that it is ready");
  for (;;) {
    struct pollfd polled[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    if (poll(polled, 2, -1) < 0) continue;
    if (polled[0].revents) serve(listener, null);
    char byte;
    if (polled[1].revents && RETRY(read(0, &byte, 1)) <= 0) _exit(0);
  }
}
