/**
 * The wire between TypeScript and the native helper, all of it. `native/protocol.h` is generated from this table by
 * `native/generate-protocol.ts`, so no number is ever typed twice.
 *
 *     daemon                           executor                          (little-endian, one connection per process)
 *       │ connect ────────────────────▶ │ accept, fork ─▶ worker
 *       │ header, steps, relocations, data ────────────▶ │ executes step by step
 *       │ ◀───────────────────────────── reply: result │ (the results region) or failure (step, errno)
 *       │ next program … ──────────────────────────────▶ │ a session: same process, same cwd, root and descriptors
 *       │ end of stream ───────────────────────────────▶ │ leaves
 *
 *     `executor - FD` is a worker without a listener: its connection is a descriptor that it inherits
 *
 *     after a `supervise` step the worker is a monitor and the connection speaks control messages:
 *       │ resize | signal | closeStdin | release ──────▶ │
 *       │ ◀────────────────────────────── reply: exited │ (how it ended), once, after which it leaves
 *
 *     others connect to the monitor's own socket and say hello first: attach (answered by `attached`, then raw bytes both
 *     ways: stdin in, the output out, in Docker's 8-byte frames unless there is a terminal) or control (as above).
 */
export const protocol = {
  /** First word of a program: "SPN1". */
  magic: 0x314e5053,
  /** Nothing larger is read: a broken client cannot make the helper map the machine's memory. */
  maxProgram: 256 * 1024 * 1024,
} as const;

/** What a step does. */
export const op = {
  /** System call `number` with up to six arguments. */
  sys: 1,
  /** clone3: the child goes on at `target`, the parent with the next step. */
  clone: 2,
  /** Writes the signed value arg0 in decimal, NUL-terminated, at address arg1; the result is its length. */
  decimal: 3,
  /** Goes on at `target`. */
  jump: 4,
  /** Sends the results region to the client and goes on. */
  reply: 5,
  /** Fails with the failure that a child has recorded, if one has. */
  check: 6,
  /** Becomes the monitor of process arg0 (`supervision` at address arg1) until it ends; the result is its wait status. */
  supervise: 7,
  /** Stays as PID 1 that forwards signals and reaps; a child goes on with the next step. */
  init: 8,
  /** Ends this process with status arg0, without a reply. */
  exit: 9,
  /** Sends `exited` with the arg1 bytes at arg0 to every control connection. */
  announce: 10,
  /** Delivers what attached clients have not read yet, then goes on. */
  linger: 11,
  /** Sends the results region and waits for the next program of the session. */
  end: 12,
  /** Stores the value arg0 at `into`. */
  copy: 13,
  /** Reads the kernel's answers at netlink socket arg0, all there already; the first that is an error is this step's. */
  answer: 14,
  /** Fails with errno arg1 unless the value arg0 is zero: how a program judges what a wait status says. */
  expect: 15,
} as const;

/** How an argument is to be read. */
export const argument = {
  immediate: 0,
  /** The address of a block offset. */
  address: 1,
  /** The 64-bit value stored at a block offset. */
  value: 2,
  /** The signed 32-bit value stored there: descriptors as pipe2 and SCM_RIGHTS deliver them. */
  int: 3,
} as const;

export const stepFlag = {
  /** No errno is a failure. */
  tolerateAll: 1,
  /** read, write and their kin: go on until arg2 bytes are transferred; the end of the stream is ENODATA. */
  full: 2,
  /** The result goes to block offset `into`. */
  store: 4,
  /** A tolerated error goes on at `target`. */
  orElse: 8,
  /** Only four bytes are stored. */
  narrow: 16,
} as const;

/** `attached` answers the hello of who attaches: from then on it misses nothing. */
export const reply = { result: 1, failure: 2, exited: 3, attached: 4 } as const;

/** First byte of an 8-byte message { u8 type, u8 a, u16 b, u32 c } to a monitor. */
export const control = {
  /** hello; a = mask of stdin 1, stdout 2, stderr 4 */
  attach: 1,
  /** hello */
  command: 2,
  /** b = rows, c = columns */
  resize: 3,
  /** c = signal number */
  signal: 4,
  closeStdin: 5,
  /** Output was held back until whoever wanted the first byte is attached. */
  release: 6,
} as const;

/** Offsets of `struct supervision`, each a 64-bit value; descriptors that are not there are -1. */
export const supervision = {
  pidfd: 0,
  stdin: 8,
  stdout: 16,
  stderr: 24,
  /** master side of the terminal; replaces the three above */
  terminal: 32,
  /** listening socket for attach and control */
  listener: 40,
  flags: 48,
  /** rotate when the log would grow beyond this many bytes; 0 is never */
  logSize: 56,
  /** how many log files are kept, the current one included */
  logFiles: 64,
  /** address of the log's path, 0 for no log; the file is made when the first output comes */
  logPath: 72,
  /** address of what `ps` shall show */
  title: 80,
  size: 88,
} as const;

export const supervisionFlag = {
  /** The container's stdin ends when the first attached client's does. */
  stdinOnce: 1,
  /** Read no output before `release`, or before the starter is gone. */
  hold: 2,
} as const;

/** Sizes in bytes and field offsets of the three fixed structures. */
export const header = {
  magic: 0,
  steps: 4,
  relocations: 8,
  dataSize: 12,
  blockSize: 16,
  resultOffset: 20,
  resultSize: 24,
  size: 32,
} as const;

export const step = {
  op: 0,
  number: 4,
  kinds: 8,
  flags: 14,
  tolerate: 16,
  into: 24,
  target: 28,
  args: 32,
  size: 80,
} as const;

export const replyHeader = { kind: 0, size: 4, errno: 8, step: 12, bytes: 16 } as const;

/** Record header of a container's log: { u8 stream, u8[3] 0, u32 BE length, u64 BE unix time in ns }. */
export const logRecord = { stream: 0, length: 4, time: 8, size: 16 } as const;
