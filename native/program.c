#include "program.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "init.h"
#include "monitor.h"
#include "protocol.h"

#define FAILURE_SIZE 64

static size_t align8(size_t size) { return (size + 7) & ~(size_t)7; }

void program_unmap(struct program *p) {
  if (p->failure) munmap(p->failure, p->mapped);
  p->failure = NULL;
  p->mapped = 0;
}

/* Memory for `size` bytes, zeroed. A session's programs are alike in size, so the mapping is kept. */
static int program_map(struct program *p, size_t size) {
  if (p->mapped >= size) {
    memset(p->failure, 0, size);
    return 0;
  }
  program_unmap(p);
  size_t wanted = (size + 65535) & ~(size_t)65535;
  void *memory = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -1;
  p->failure = memory;
  p->mapped = wanted;
  return 0;
}

/* Turns the block offsets that the relocations name into addresses. */
static int program_relocate(struct program *p, const unsigned char *relocations, uint32_t count, uint32_t data_size) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at = load32(relocations + 4 * (size_t)i);
    if (data_size < 8 || at > data_size - 8) return -1;
    uint64_t offset = load64(p->block + at);
    if (offset >= p->block_size) return -1;
    store64(p->block + at, (uint64_t)(uintptr_t)(p->block + offset));
  }
  return 0;
}

static bool step_valid(const struct program *p, uint32_t index) {
  const unsigned char *s = p->steps + (size_t)index * STEP_SIZE;
  uint16_t op = load16(s + STEP_OP), flags = load16(s + STEP_FLAGS);
  uint32_t target = load32(s + STEP_TARGET);
  if (op < OP_SYS || op > OP_EXPECT) return false;
  size_t stored = flags & STEP_FLAG_NARROW ? 4 : flags & STEP_FLAG_STORE ? 8 : 0;
  if (p->block_size < stored || load32(s + STEP_INTO) > p->block_size - stored) return false;
  if ((op == OP_CLONE || op == OP_JUMP || (flags & STEP_FLAG_OR_ELSE)) && (target <= index || target >= p->step_count))
    return false;
  for (int a = 0; a < 6; a++) {
    uint8_t kind = s[STEP_KINDS + a];
    uint64_t value = load64(s + STEP_ARGS + 8 * a);
    if (kind == ARGUMENT_ADDRESS && value >= p->block_size) return false;
    size_t width = kind == ARGUMENT_INT ? 4 : 8;
    if (kind >= ARGUMENT_VALUE && (p->block_size < width || value > p->block_size - width)) return false;
    if (kind > ARGUMENT_INT) return false;
  }
  return true;
}

int program_load(struct program *p) {
  unsigned char header[HEADER_SIZE];
  size_t done;
  if (read_all(p->connection, header, sizeof header, &done) != 0) return done == 0 && errno == ENODATA ? 0 : -1;
  uint32_t relocations = load32(header + HEADER_RELOCATIONS), data_size = load32(header + HEADER_DATA_SIZE);
  p->step_count = load32(header + HEADER_STEPS);
  p->block_size = load32(header + HEADER_BLOCK_SIZE);
  p->result_offset = load32(header + HEADER_RESULT_OFFSET);
  p->result_size = load32(header + HEADER_RESULT_SIZE);
  errno = EBADMSG;
  if (load32(header + HEADER_MAGIC) != PROTOCOL_MAGIC || p->step_count == 0) return -1;
  if (p->step_count > PROTOCOL_MAX_PROGRAM / STEP_SIZE || relocations > PROTOCOL_MAX_PROGRAM / 4) return -1;
  if (p->block_size > PROTOCOL_MAX_PROGRAM || data_size > p->block_size) return -1;
  if (p->result_offset > p->block_size || p->result_size > p->block_size - p->result_offset) return -1;
  size_t steps_size = (size_t)p->step_count * STEP_SIZE, relocations_size = align8((size_t)relocations * 4);
  if (program_map(p, FAILURE_SIZE + steps_size + relocations_size + align8(p->block_size)) != 0) return -1;
  unsigned char *memory = (unsigned char *)p->failure + FAILURE_SIZE;
  if (read_all(p->connection, memory, steps_size + relocations_size + data_size, &done) != 0) return -1;
  p->steps = memory;
  p->block = memory + steps_size + relocations_size;
  errno = EBADMSG;
  if (program_relocate(p, memory + steps_size, relocations, data_size) != 0) return -1;
  for (uint32_t i = 0; i < p->step_count; i++)
    if (!step_valid(p, i)) return -1;
  return 1;
}

/* Records or reports the failure of a step; what the program has cloned so far must not outlive it. */
static _Noreturn void program_fail(struct program *p, uint32_t index, int error) {
  if (p->is_child) {
    if (!p->failure->failed) *p->failure = (struct failure){.failed = 1, .step = index, .error = error};
    _exit(127);
  }
  for (unsigned i = 0; i < p->child_count; i++) kill(p->children[i], SIGKILL);
  for (unsigned i = 0; i < p->child_count; i++) RETRY(waitpid(p->children[i], NULL, 0));
  send_reply(p->connection, REPLY_FAILURE, error, index, p->block + p->result_offset, p->result_size);
  /* A session may have queued more: leaving it unread would reset the connection, and the reply could be lost. */
  shutdown(p->connection, SHUT_WR);
  while (RETRY(read(p->connection, p->block, p->block_size)) > 0) continue;
  _exit(1);
}

static uint64_t argument(const struct program *p, const unsigned char *s, int index) {
  uint64_t value = load64(s + STEP_ARGS + 8 * index);
  switch (s[STEP_KINDS + index]) {
  case ARGUMENT_ADDRESS: return (uint64_t)(uintptr_t)(p->block + value);
  case ARGUMENT_VALUE: return load64(p->block + value);
  case ARGUMENT_INT: return (uint64_t)(int64_t)(int32_t)load32(p->block + value);
  default: return value;
  }
}

/*
 * Goes on until all of arg2's bytes are transferred. The offset argument of pread64 and pwrite64 moves along. The size of
 * copy_file_range is arg4, and its offsets, in memory, are the kernel's to move.
 */
static long transfer_all(long number, const uint64_t a[6]) {
  bool copies = number == SYS_copy_file_range;
  uint64_t done = 0, size = a[copies ? 4 : 2];
  while (done < size) {
    long n = copies ? RETRY(syscall(number, a[0], a[1], a[2], a[3], size - done, a[5]))
                    : RETRY(syscall(number, a[0], a[1] + done, size - done, a[3] + done, a[4], a[5]));
    if (n == 0) errno = number == SYS_write || number == SYS_pwrite64 ? ENOSPC : ENODATA;
    if (n <= 0) return -1;
    done += (uint64_t)n;
  }
  return (long)done;
}

static bool tolerated(const unsigned char *s, int error) {
  if (load16(s + STEP_FLAGS) & STEP_FLAG_TOLERATE_ALL) return true;
  for (int i = 0; i < 4; i++)
    if (load16(s + STEP_TOLERATE + 2 * i) == error) return true;
  return false;
}

/* Writes a signed number in decimal, NUL-terminated, to at least 24 bytes. */
static long write_decimal(int64_t value, char *to) {
  char digits[24];
  int n = 0, length = 0;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do digits[n++] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) to[length++] = '-';
  while (n) to[length++] = digits[--n];
  to[length] = 0;
  return length;
}

/*
 * openat2(2) gives up at a ".." that must not lead out of its root when anything on the machine is mounted or renamed
 * meanwhile, and leaves it to the caller to try again. On a busy machine that is not rare.
 */
static long open_inside(const uint64_t a[6]) {
  long fd;
  int tries = 0;
  do fd = RETRY(syscall(SYS_openat2, a[0], a[1], a[2], a[3]));
  while (fd == -1 && errno == EAGAIN && ++tries < 10000);
  return fd;
}

static long step_sys(const unsigned char *s, const uint64_t a[6]) {
  long number = (long)load32(s + STEP_NUMBER);
  if (load16(s + STEP_FLAGS) & STEP_FLAG_FULL) return transfer_all(number, a);
  if (number == SYS_openat2) return open_inside(a);
  if (number == SYS_close) return syscall(number, a[0]); /* a descriptor is gone even when close is interrupted */
  return RETRY(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* clone3 without shared memory, so both sides go on with this stack's copy. Returns the step to go on at. */
static uint32_t step_clone(struct program *p, uint32_t index, const unsigned char *s, const uint64_t a[6], long *result) {
  *result = syscall(SYS_clone3, a[0], a[1]);
  if (*result == 0) {
    p->is_child = true;
    p->child_count = 0;
    return load32(s + STEP_TARGET);
  }
  if (*result > 0 && p->child_count < sizeof p->children / sizeof p->children[0])
    p->children[p->child_count++] = (pid_t)*result;
  return index + 1;
}

/* netlink(7). A request is answered before its sendto returns; errors of a batch come before the acknowledgement of its end. */
static long step_answer(int socket) {
  unsigned char answers[8192];
  int error = 0;
  for (ssize_t n; (n = RETRY(recv(socket, answers, sizeof answers, MSG_DONTWAIT))) > 0;)
    for (uint32_t at = 0, length; at + 20 <= (size_t)n; at += (length + 3) & ~3U) {
      if ((length = load32(answers + at)) < 20) break;
      if (load16(answers + at + 4) == 2 /* NLMSG_ERROR */ && !error) error = -(int)load32(answers + at + 16);
    }
  if (error) errno = error;
  return error || errno != EAGAIN ? -1 : 0;
}

void program_run(struct program *p) {
  for (uint32_t index = 0; index < p->step_count;) {
    const unsigned char *s = p->steps + (size_t)index * STEP_SIZE;
    uint16_t flags = load16(s + STEP_FLAGS);
    uint64_t a[6];
    for (int i = 0; i < 6; i++) a[i] = argument(p, s, i);
    long result = 0;
    uint32_t next = index + 1;
    switch (load16(s + STEP_OP)) {
    case OP_SYS: result = step_sys(s, a); break;
    case OP_CLONE: next = step_clone(p, index, s, a, &result); break;
    case OP_DECIMAL: result = write_decimal((int64_t)a[0], (char *)(uintptr_t)a[1]); break;
    case OP_JUMP: next = load32(s + STEP_TARGET); break;
    case OP_COPY: result = (long)a[0]; break;
    case OP_ANSWER: result = step_answer((int)a[0]); break;
    case OP_EXPECT:
      errno = (int)a[1];
      result = a[0] ? -1 : 0;
      break;
    case OP_REPLY: /* what nobody hears of has not happened */
      result = send_reply(p->connection, REPLY_RESULT, 0, index, p->block + p->result_offset, p->result_size);
      break;
    case OP_CHECK:
      if (p->failure->failed) program_fail(p, p->failure->step, p->failure->error);
      break;
    case OP_SUPERVISE: result = monitor_supervise(p->connection, (pid_t)a[0], (const unsigned char *)(uintptr_t)a[1]); break;
    case OP_ANNOUNCE: monitor_announce((const void *)(uintptr_t)a[0], (uint32_t)a[1]); break;
    case OP_LINGER: monitor_linger(); break;
    case OP_INIT: result = init_become(p); break;
    case OP_EXIT: _exit((int)a[0]);
    case OP_END: send_reply(p->connection, REPLY_RESULT, 0, index, p->block + p->result_offset, p->result_size); return;
    }
    if (result == -1 && load16(s + STEP_OP) != OP_COPY) {
      int error = errno;
      if (!tolerated(s, error)) program_fail(p, index, error);
      if (flags & STEP_FLAG_OR_ELSE) next = load32(s + STEP_TARGET);
      result = -error;
    }
    if (flags & STEP_FLAG_NARROW) store32(p->block + load32(s + STEP_INTO), (uint32_t)result);
    else if ((flags & STEP_FLAG_STORE) && !(load16(s + STEP_OP) == OP_CLONE && result == 0))
      store64(p->block + load32(s + STEP_INTO), (uint64_t)result);
    index = next;
  }
}
