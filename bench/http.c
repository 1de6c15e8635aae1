/*
 * HTTP with a new connection for each request, for bench/network.ts: a server and a client that cost as little as can be.
 *
 *   http serve PORT                       answers "ok" to everything, on all IPv4 addresses; says "ready" first
 *   http load ADDRESS PORT JOBS MS        JOBS processes ask, one request after the other; prints answered, failed, milliseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.0\r\nHost: bench\r\n\r\n";
static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
enum { workers = 2 };

static int must(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_in at(const char *address, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, address, &a.sin_addr);
  return a;
}

static void quit(int signal) { _exit(128 + signal); }

static void serve(const char *port) {
  struct sockaddr_in a = at("0.0.0.0", port);
  int on = 1, fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  must(bind(fd, (struct sockaddr *)&a, sizeof a), "bind");
  must(listen(fd, 4096), "listen");
  signal(SIGTERM, quit); /* whoever is PID 1 ends only by what it has a handler for */
  puts("ready");
  fflush(stdout);
  for (int i = 1; i < workers; i++) {
    if (fork()) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    break;
  }
  for (;;) {
    char text[512];
    int c = accept(fd, 0, 0);
    if (c < 0) continue;
    if (read(c, text, sizeof text) > 0) (void)!write(c, answer, sizeof answer - 1);
    close(c);
  }
}

static int ask(const struct sockaddr_in *a) {
  char text[512];
  ssize_t n, got = 0;
  int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  int ok = connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 && write(fd, request, sizeof request - 1) > 0;
  while (ok && (n = read(fd, text, sizeof text)) > 0) got += n;
  close(fd);
  return got == sizeof answer - 1;
}

static void load(const struct sockaddr_in *a, int jobs, int milliseconds) {
  long *counts = mmap(0, sizeof *counts * 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int64_t start = now(), end = start + milliseconds;
  for (int j = 0; j < jobs; j++) {
    if (fork()) continue;
    while (now() < end) __atomic_add_fetch(&counts[!ask(a)], 1, __ATOMIC_RELAXED);
    exit(0);
  }
  while (wait(0) > 0) continue;
  printf("%ld %ld %lld\n", counts[0], counts[1], (long long)(now() - start));
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc == 3 && !strcmp(argv[1], "serve")) serve(argv[2]);
  if (argc != 6 || strcmp(argv[1], "load")) return 2;
  struct sockaddr_in a = at(argv[2], argv[3]);
  load(&a, atoi(argv[4]), atoi(argv[5]));
  return 0;
}
