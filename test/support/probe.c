/*
 * Traffic for tests, in one static program that runs on the machine, outside and in containers.
 *
 *   probe serve NAME PORT…          answers "NAME PEER" to every TCP and SCTP connection, which then echoes, and UDP datagram
 *   probe ask MS TARGET…            asks all at once; a line per target: "TARGET = NAME PEER", "reply", or what went wrong
 *   probe stream MS TARGET…         (TCP) sends a number every 5 ms, wants it back; "TARGET = COUNT echoes, longest pause N ms"
 *   probe dns ADDRESS               a name server for IPv4: every A question has that answer, but names that begin with
 *                                   a192-0-2-1 have the address they tell; so do those with l, for a day instead of five
 *                                   seconds, and those with c, by an alias in another domain
 *
 * TARGET is tcp:ADDRESS:PORT, udp:…, sctp:… or icmp:ADDRESS; an address is a literal, without brackets, or a name.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } address;
static const char *name;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int die(const char *what) {
  fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
  exit(1);
}

static socklen_t size(const address *a) { return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6; }

static int parse(const char *text, int port, address *a) {
  struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
  memset(a, 0, sizeof *a);
  if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) a->v4.sin_family = AF_INET, a->v4.sin_port = htons(port);
  else if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) a->v6.sin6_family = AF_INET6, a->v6.sin6_port = htons(port);
  else {
    if (getaddrinfo(text, 0, &hints, &found)) return -1;
    memcpy(a, found->ai_addr, found->ai_addrlen);
    a->v4.sin_port = htons((uint16_t)port); /* the same place in both families */
    freeaddrinfo(found);
  }
  return 0;
}

static const char *text(const address *a) {
  static char buffer[INET6_ADDRSTRLEN];
  const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr : &a->v6.sin6_addr;
  return inet_ntop(a->any.sa_family, bytes, buffer, sizeof buffer);
}

static int listen_at(const char *where, int port, int type, int protocol) {
  address a;
  int on = 1;
  parse(where, port, &a);
  int fd = socket(a.any.sa_family, type, protocol);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a.any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (type == SOCK_DGRAM && a.any.sa_family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (type == SOCK_DGRAM && a.any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  if (bind(fd, &a.any, size(&a)) < 0) die("bind");
  if (type == SOCK_STREAM && listen(fd, 128) < 0) die("listen");
  return fd;
}

static void converse(int fd, const address *peer) {
  char line[256];
  ssize_t n = snprintf(line, sizeof line, "%s %s\n", name, text(peer));
  do if (write(fd, line, (size_t)n) != n) break;
  while ((n = read(fd, line, sizeof line)) > 0);
  _exit(0);
}

/* A machine with many addresses answers from the one it was asked at. */
static void reply(int fd) {
  address peer;
  char line[256], control[256];
  struct iovec part = {line, sizeof line};
  struct msghdr m = {.msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &part, .msg_iovlen = 1,
                     .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &m, 0) < 0) return;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
    else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
  }
  part.iov_len = (size_t)snprintf(line, sizeof line, "%s %s\n", name, text(&peer));
  sendmsg(fd, &m, 0);
}

static void answer(int fd, int stream) {
  address peer;
  socklen_t length = sizeof peer;
  if (stream) {
    int c = accept(fd, &peer.any, &length);
    if (c >= 0 && fork() == 0) converse(c, &peer);
    close(c);
  } else {
    reply(fd);
  }
}

static void quit(int signal) { _exit(128 + signal); }

__attribute__((noreturn)) static void serve(char **ports) {
  struct pollfd fds[96];
  int streams[96], count = 0;
  static const struct { const char *where; int type, protocol; } kinds[] = {
      {"0.0.0.0", SOCK_STREAM, 0}, {"::", SOCK_STREAM, 0}, {"0.0.0.0", SOCK_DGRAM, 0}, {"::", SOCK_DGRAM, 0},
      {"0.0.0.0", SOCK_STREAM, IPPROTO_SCTP}, {"::", SOCK_STREAM, IPPROTO_SCTP}};
  for (; *ports; ports++) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds && count < 96; k++) {
      int fd = listen_at(kinds[k].where, atoi(*ports), kinds[k].type, kinds[k].protocol);
      if (fd < 0) continue; /* no SCTP or no IPv6 here */
      streams[count] = kinds[k].type == SOCK_STREAM;
      fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
  }
  signal(SIGCHLD, SIG_IGN);
  puts("ready");
  fflush(stdout);
  for (;;) {
    if (poll(fds, (nfds_t)count, -1) < 0) die("poll");
    for (int i = 0; i < count; i++) if (fds[i].revents) answer(fds[i].fd, streams[i]);
  }
}

static int wait_for(int fd, short events, int64_t deadline) {
  struct pollfd p = {.fd = fd, .events = events};
  int64_t left = deadline - now();
  return left > 0 && poll(&p, 1, (int)left) == 1;
}

static const char *outcome(int error) {
  switch (error) {
    case 0: return "timeout";
    case ECONNREFUSED: return "refused";
    case EHOSTUNREACH: case ENETUNREACH: case EACCES: case EPERM: case EADDRNOTAVAIL: return "unreachable";
    default: return strerror(error);
  }
}

static int connect_to(const address *a, int type, int protocol, int64_t deadline) {
  int fd = socket(a->any.sa_family, type | SOCK_NONBLOCK, protocol), error = 0;
  socklen_t length = sizeof error;
  if (fd < 0) return -1;
  if (connect(fd, &a->any, size(a)) == 0) return fd;
  if (errno != EINPROGRESS) return -1;
  errno = 0;
  if (!wait_for(fd, POLLOUT, deadline)) return -1;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  errno = error;
  return error ? -1 : fd;
}

static const char *ask(const address *a, int type, int protocol, int64_t deadline) {
  static char line[256];
  int fd = connect_to(a, type, protocol, deadline);
  if (fd < 0) return outcome(errno);
  /* a lost datagram is not a closed door: ask again */
  for (int again = 1; again;) {
    int64_t until = type == SOCK_DGRAM && now() + 150 < deadline ? now() + 150 : deadline;
    again = until < deadline;
    if (type == SOCK_DGRAM && send(fd, "?", 1, 0) < 0) return outcome(errno);
    if (!wait_for(fd, POLLIN, until)) continue;
    ssize_t n = read(fd, line, sizeof line - 1);
    if (n < 0) return outcome(errno);
    line[n > 0 ? n - 1 : 0] = 0;
    return n == 0 ? "closed" : line;
  }
  return "timeout";
}

static const char *ping(const address *a, int64_t deadline) {
  int v4 = a->any.sa_family == AF_INET, id = getpid() & 0xffff;
  int fd = socket(a->any.sa_family, SOCK_RAW, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  if (fd < 0) return outcome(errno);
  uint16_t packet[4] = {htons(v4 ? ICMP_ECHO << 8 : ICMP6_ECHO_REQUEST << 8), 0, htons((uint16_t)id), htons(1)};
  uint32_t sum = (uint32_t)packet[0] + packet[2] + packet[3];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  packet[1] = (uint16_t)~sum; /* of IPv6 the kernel's */
  if (sendto(fd, packet, sizeof packet, 0, &a->any, size(a)) < 0) return outcome(errno);
  while (wait_for(fd, POLLIN, deadline)) {
    unsigned char got[1024];
    ssize_t n = read(fd, got, sizeof got), at = v4 ? (got[0] & 15) * 4 : 0;
    if (n < at + 8 || (got[at + 4] << 8 | got[at + 5]) != id) continue;
    if (got[at] == (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY)) return "reply";
  }
  return "timeout";
}

static int split(const char *target, char *kind, address *a) {
  char host[128];
  const char *colon = strchr(target, ':'), *last = strrchr(target, ':');
  snprintf(kind, 8, "%.*s", (int)(colon - target), target);
  int portless = !strcmp(kind, "icmp");
  snprintf(host, sizeof host, "%.*s", portless ? 127 : (int)(last - colon - 1), colon + 1);
  return parse(host, portless ? 0 : atoi(last + 1), a);
}

static void ask_one(const char *target, int64_t deadline) {
  char kind[8];
  address a;
  const char *said = "unknown";
  if (split(target, kind, &a) == 0) {
    if (!strcmp(kind, "tcp")) said = ask(&a, SOCK_STREAM, 0, deadline);
    else if (!strcmp(kind, "sctp")) said = ask(&a, SOCK_STREAM, IPPROTO_SCTP, deadline);
    else if (!strcmp(kind, "udp")) said = ask(&a, SOCK_DGRAM, 0, deadline);
    else said = ping(&a, deadline);
  }
  printf("%s = %s\n", target, said);
}

static void stream_one(const char *target, int64_t deadline) {
  char kind[8], line[256];
  address a;
  int count = 0, fd = split(target, kind, &a) == 0 ? connect_to(&a, SOCK_STREAM, 0, deadline) : -1;
  if (fd < 0 || !wait_for(fd, POLLIN, deadline) || read(fd, line, sizeof line) <= 0) {
    printf("%s = no connection: %s\n", target, outcome(errno));
    return;
  }
  int64_t longest = 0;
  for (; now() < deadline; usleep(5000)) {
    int64_t sent = now();
    if (write(fd, &count, sizeof count) < 0 || !wait_for(fd, POLLIN, sent + 10000) || read(fd, line, sizeof line) <= 0) {
      printf("%s = broken after %d echoes: %s\n", target, count, strerror(errno));
      return;
    }
    if (now() - sent > longest) longest = now() - sent;
    count++;
  }
  printf("%s = %d echoes, longest pause %d ms\n", target, count, (int)longest);
}

static int each(char **targets, int milliseconds, void (*one)(const char *, int64_t)) {
  int64_t deadline = now() + milliseconds;
  for (; *targets; targets++) {
    if (fork()) continue;
    one(*targets, deadline);
    exit(0);
  }
  while (wait(0) > 0) continue;
  return 0;
}

/* A record behind the message: `name` as in the message, 2 bytes when it is a pointer; TTL 5 seconds, or a day. */
static ssize_t record(unsigned char *m, ssize_t end, const void *owner, size_t owner_size, int type, int day, const void *data, size_t size) {
  unsigned char head[] = {0, (unsigned char)type, 0, 1, 0, day, day ? 0x51 : 0, day ? 0x80 : 5, 0, (unsigned char)size};
  memcpy(m + end, owner, owner_size);
  memcpy(m + end + owner_size, head, sizeof head);
  memcpy(m + end + owner_size + sizeof head, data, size);
  m[7]++;
  return end + (ssize_t)(owner_size + sizeof head + size);
}

/* The question comes back with its answers: name at offset 12, class IN, four bytes. */
static ssize_t name_answer(unsigned char *m, ssize_t n, const address *a) {
  ssize_t end = 12;
  unsigned b[4];
  char label[64];
  while (end < n && m[end]) end += m[end] + 1;
  end += 5;
  if (end > n) return -1;
  int is_a = m[end - 4] == 0 && m[end - 3] == 1;
  m[2] = 0x81, m[3] = 0x80;
  memset(m + 6, 0, 6);
  if (!is_a) return end;
  snprintf(label, sizeof label, "%.*s", m[12], (char *)m + 13);
  if (sscanf(label + 1, "%u-%u-%u-%u", b, b + 1, b + 2, b + 3) != 4) return record(m, end, "\xc0\x0c", 2, 1, 0, &a->v4.sin_addr, 4);
  const unsigned char bytes[] = {(unsigned char)b[0], (unsigned char)b[1], (unsigned char)b[2], (unsigned char)b[3]};
  if (*label != 'c') return record(m, end, "\xc0\x0c", 2, 1, *label == 'l', bytes, 4);
  static const char alias[] = "\5alias\7another\4test";
  end = record(m, end, "\xc0\x0c", 2, 5, 0, alias, sizeof alias);
  return record(m, end, alias, sizeof alias, 1, 0, bytes, 4);
}

__attribute__((noreturn)) static void names(const char *where) {
  address mine, peer;
  unsigned char message[1500];
  if (parse(where, 0, &mine) < 0) die(where);
  int fd = listen_at("0.0.0.0", 53, SOCK_DGRAM, 0);
  puts("ready");
  fflush(stdout);
  for (;;) {
    socklen_t length = sizeof peer;
    ssize_t n = recvfrom(fd, message, 512, 0, &peer.any, &length);
    n = n < 17 ? -1 : name_answer(message, n, &mine);
    if (n > 0) sendto(fd, message, (size_t)n, 0, &peer.any, length);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, quit); /* whoever is PID 1 ends only by what it has a handler for */
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc > 3 && !strcmp(argv[1], "serve")) name = argv[2], serve(argv + 3);
  if (argc > 3 && !strcmp(argv[1], "ask")) return each(argv + 3, atoi(argv[2]), ask_one);
  if (argc > 3 && !strcmp(argv[1], "stream")) return each(argv + 3, atoi(argv[2]), stream_one);
  if (argc == 3 && !strcmp(argv[1], "dns")) names(argv[2]);
  return 2;
}
