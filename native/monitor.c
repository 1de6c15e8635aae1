#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "client.h"
#include "log.h"
#include "protocol.h"

enum { CLIENTS = 64, READ_SIZE = 256 * 1024, INPUT_SIZE = 32 * 1024, IDLE_MS = 500 };
enum { SLOT_PIDFD, SLOT_LISTENER, SLOT_STDIN, SLOT_STDOUT, SLOT_STDERR, SLOT_CLIENTS };

/* One monitor a process, so its state is the process's. */
static struct {
  pid_t pid;
  int pidfd, in, out, err, listener;
  bool terminal, stdin_once, hold, ended;
  bool close_stdin; /* once the input that has come is delivered */
  struct log log;
  unsigned char *record; /* room for a log or frame header, then READ_SIZE bytes */
  unsigned char *input;  /* INPUT_SIZE bytes on their way to the container */
  uint32_t input_start, input_end;
  struct client clients[CLIENTS];
} m;

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static bool may_read_output(void) {
  if (m.hold) return false;
  for (int i = 0; i < CLIENTS; i++)
    if (m.clients[i].fd >= 0 && m.clients[i].role == CONTROL_ATTACH && !client_has_room(&m.clients[i])) return false;
  return true;
}

/* Buffers are there while they are needed. */
static bool have_buffer(unsigned char **buffer, size_t size) {
  if (*buffer) return true;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED && (*buffer = memory);
}

/* Reads once from the container and hands it on. False when there is nothing more for now, or at all. */
static bool pump_output(int *fd, uint8_t stream) {
  if (*fd < 0 || !have_buffer(&m.record, LOG_RECORD_SIZE + READ_SIZE)) return false;
  unsigned char *bytes = m.record + LOG_RECORD_SIZE;
  ssize_t n = RETRY(read(*fd, bytes, READ_SIZE));
  if (n < 0 && errno == EAGAIN) return false;
  if (n <= 0) { /* EIO: the last process has closed the terminal */
    if (m.terminal) m.in = -1;
    close_fd(fd);
    return false;
  }
  log_append(&m.log, stream, m.record, (uint32_t)n);
  uint32_t size = (uint32_t)n;
  if (!m.terminal) bytes = client_frame(bytes, stream, size), size += FRAME_HEADER;
  for (int i = 0; i < CLIENTS; i++) {
    struct client *c = &m.clients[i];
    if (c->fd >= 0 && c->role == CONTROL_ATTACH && (c->mask & (stream == 1 ? STDOUT : STDERR)))
      client_send(c, bytes, size);
  }
  return true;
}

static void end_stdin(void) {
  m.close_stdin = true;
  if (m.input_end > m.input_start || m.terminal) return;
  close_fd(&m.in);
}

/* Writes what has come in; a container that does not read makes its clients wait, not the monitor. */
static void pump_input(void) {
  while (m.in >= 0 && m.input_end > m.input_start) {
    ssize_t n = RETRY(write(m.in, m.input + m.input_start, m.input_end - m.input_start));
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) break;
    m.input_start += (uint32_t)n;
  }
  m.input_start = m.input_end = 0;
  if (m.close_stdin) end_stdin();
}

static void receive_input(struct client *c) {
  if (!have_buffer(&m.input, INPUT_SIZE)) return;
  ssize_t n = RETRY(recv(c->fd, m.input, INPUT_SIZE, MSG_DONTWAIT));
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    c->sent_all = true;
    if (n < 0) client_close(c);
    else if ((c->mask & STDIN) && m.stdin_once) end_stdin();
    return;
  }
  if (!(c->mask & STDIN) || m.in < 0 || m.close_stdin) return;
  m.input_start = 0;
  m.input_end = (uint32_t)n;
  pump_input();
}

static void obey(struct client *c) {
  const unsigned char *message = c->message;
  uint16_t b = load16(message + 2);
  uint32_t word = load32(message + 4);
  if (!c->role) {
    c->role = message[0] == CONTROL_ATTACH ? CONTROL_ATTACH : CONTROL_COMMAND;
    c->mask = message[1];
    if (c->role == CONTROL_ATTACH) send_reply(c->fd, REPLY_ATTACHED, 0, 0, NULL, 0);
    return;
  }
  struct winsize size = {.ws_row = b, .ws_col = (unsigned short)word};
  switch (message[0]) {
  case CONTROL_RESIZE:
    if (m.terminal) ioctl(m.out, TIOCSWINSZ, &size);
    break;
  case CONTROL_SIGNAL:
    if (!m.ended) kill(m.pid, (int)word);
    break;
  case CONTROL_CLOSE_STDIN: end_stdin(); break;
  case CONTROL_RELEASE: m.hold = false; break;
  }
}

static void receive(struct client *c) {
  if (c->role == CONTROL_ATTACH) {
    receive_input(c);
    return;
  }
  ssize_t n = RETRY(recv(c->fd, c->message + c->have, sizeof c->message - c->have, MSG_DONTWAIT));
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    client_close(c);
    if (c == &m.clients[0]) m.hold = false; /* whoever wanted to release it has gone */
    return;
  }
  c->have += (uint8_t)n;
  if (c->have < sizeof c->message) return;
  c->have = 0;
  obey(c);
}

static void welcome(void) {
  int fd = accept4(m.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  for (int i = 1; i < CLIENTS; i++) {
    if (m.clients[i].fd >= 0) continue;
    m.clients[i] = (struct client){.fd = fd};
    return;
  }
  close(fd);
}

static struct pollfd watch(int fd, short events) { return (struct pollfd){.fd = events ? fd : -1, .events = events}; }

/* The descriptors to wait for, in fixed places; a place that has nothing to wait for is -1. */
static void fill_poll(struct pollfd polled[SLOT_CLIENTS + CLIENTS]) {
  bool input_free = m.input_end == m.input_start;
  short output = may_read_output() ? POLLIN : 0;
  polled[SLOT_PIDFD] = watch(m.pidfd, m.ended ? 0 : POLLIN);
  polled[SLOT_LISTENER] = watch(m.listener, POLLIN);
  polled[SLOT_STDIN] = watch(m.in, input_free ? 0 : POLLOUT);
  polled[SLOT_STDOUT] = watch(m.out, output);
  polled[SLOT_STDERR] = watch(m.err, output);
  for (int i = 0; i < CLIENTS; i++) {
    struct client *c = &m.clients[i];
    bool stdin_client = c->role == CONTROL_ATTACH;
    short in = c->sent_all || (stdin_client && !input_free) ? 0 : POLLIN;
    short events = (short)(in | (client_waiting(c) ? POLLOUT : 0));
    /* One that has sent all and waits for output is still watched: POLLHUP tells that it has left. */
    polled[SLOT_CLIENTS + i] = (struct pollfd){.fd = c->fd, .events = events};
    if (stdin_client && !input_free && !events) polled[SLOT_CLIENTS + i].fd = -1;
  }
}

static void serve_clients(const struct pollfd *polled) {
  for (int i = 0; i < CLIENTS; i++) {
    struct client *c = &m.clients[i];
    short got = polled[i].revents;
    if (c->fd < 0 || polled[i].fd != c->fd || !got) continue;
    if (got & POLLOUT) client_flush(c);
    if (c->fd >= 0 && (got & POLLIN)) receive(c);
    else if (c->fd >= 0 && (got & (POLLHUP | POLLERR))) {
      client_close(c);
      if (i == 0) m.hold = false;
    }
  }
}

static void begin(int starter, pid_t pid, const unsigned char *s) {
  int64_t terminal = (int64_t)load64(s + SUPERVISION_TERMINAL);
  uint64_t flags = load64(s + SUPERVISION_FLAGS);
  m.pid = pid;
  m.pidfd = (int)load64(s + SUPERVISION_PIDFD);
  m.listener = (int)load64(s + SUPERVISION_LISTENER);
  m.terminal = terminal >= 0;
  m.in = m.terminal ? (int)terminal : (int)load64(s + SUPERVISION_STDIN);
  m.out = m.terminal ? (int)terminal : (int)load64(s + SUPERVISION_STDOUT);
  m.err = m.terminal ? -1 : (int)load64(s + SUPERVISION_STDERR);
  m.stdin_once = flags & SUPERVISION_FLAG_STDIN_ONCE;
  m.hold = flags & SUPERVISION_FLAG_HOLD;
  m.log = (struct log){.fd = -1,
                       .path = (const char *)(uintptr_t)load64(s + SUPERVISION_LOG_PATH),
                       .limit = (int64_t)load64(s + SUPERVISION_LOG_SIZE),
                       .files = (int64_t)load64(s + SUPERVISION_LOG_FILES)};
  for (int i = 0; i < CLIENTS; i++) m.clients[i].fd = -1;
  m.clients[0] = (struct client){.fd = starter, .role = CONTROL_COMMAND};
  set_title((const char *)(uintptr_t)load64(s + SUPERVISION_TITLE));
  const int ends[] = {m.in, m.out, m.err, m.listener};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
    if (ends[i] >= 0) fcntl(ends[i], F_SETFL, fcntl(ends[i], F_GETFL) | O_NONBLOCK);
  const int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT};
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
}

/* Everything the process wrote before it ended; others may hold the pipes open, so only what is there. */
static void drain(void) {
  for (bool more = true; more;) {
    more = pump_output(&m.out, 1);
    more |= pump_output(&m.err, 2);
  }
  close_fd(&m.out);
  close_fd(&m.err);
}

/* Waits for events; an idle monitor gives its buffers back. */
static void wait_events(struct pollfd *polled, nfds_t count) {
  if (poll(polled, count, m.record || m.input ? IDLE_MS : -1) != 0) return;
  if (m.record) munmap(m.record, LOG_RECORD_SIZE + READ_SIZE);
  m.record = NULL;
  if (m.input && m.input_end == m.input_start) {
    munmap(m.input, INPUT_SIZE);
    m.input = NULL;
  }
}

long monitor_supervise(int starter, pid_t pid, const unsigned char *supervision) {
  begin(starter, pid, supervision);
  struct pollfd polled[SLOT_CLIENTS + CLIENTS];
  int status = 0;
  for (;;) {
    fill_poll(polled);
    memset(&polled[0].revents, 0, sizeof polled[0].revents);
    wait_events(polled, SLOT_CLIENTS + CLIENTS);
    if (polled[SLOT_STDIN].revents) pump_input();
    if (polled[SLOT_STDOUT].revents) pump_output(&m.out, 1);
    if (polled[SLOT_STDERR].revents) pump_output(&m.err, 2);
    serve_clients(polled + SLOT_CLIENTS);
    if (polled[SLOT_LISTENER].revents) welcome();
    if (polled[SLOT_PIDFD].revents && waitpid(pid, &status, WNOHANG) == pid) m.ended = true;
    if (!m.ended || m.hold) continue; /* whoever is to see the first byte may come after the last */
    drain();
    return status;
  }
}

void monitor_announce(const void *record, uint32_t size) {
  for (int i = 0; i < CLIENTS; i++)
    if (m.clients[i].fd >= 0 && m.clients[i].role == CONTROL_COMMAND)
      send_reply(m.clients[i].fd, REPLY_EXITED, 0, 0, record, size);
}

void monitor_linger(void) {
  close_fd(&m.listener);
  for (;;) {
    struct pollfd polled[CLIENTS];
    bool waiting = false;
    for (int i = 0; i < CLIENTS; i++) {
      struct client *c = &m.clients[i];
      if (c->fd >= 0 && !client_waiting(c)) client_close(c);
      polled[i] = watch(c->fd, POLLOUT);
      waiting |= c->fd >= 0;
    }
    if (!waiting) return;
    if (poll(polled, CLIENTS, -1) < 0) continue;
    for (int i = 0; i < CLIENTS; i++)
      if (polled[i].revents) client_flush(&m.clients[i]);
  }
}
