import { SampanError } from "../errors/index.ts";
import { Block, type Named, type Range, type Ref, Slot } from "./block.ts";
import { encodeProgram } from "./encode.ts";
import { type Errno, errnoNumber } from "./errno.ts";
import type { SyscallName } from "./syscalls/index.ts";
import type * as wire from "./wire.ts";

/** What a step is about: the chapters of `run --explain`. */
export type Concept = "namespace" | "cgroup" | "rootfs" | "device" | "network" | "security" | "process" | "monitor";

/** A number, a constant shown by name, the address of something in the block, or the value of a variable. */
export type Argument = number | bigint | Named | Ref | Slot;

export interface StepOptions {
  /** One plain sentence: what this step is for. */
  readonly note: string;
  /** Errnos that are no failure here; "all" where no failure matters. */
  readonly tolerate?: readonly Errno[] | "all";
  /** Where to go on after a tolerated error. */
  readonly orElse?: Label;
  /** Where the result goes; a new variable by default. May lie inside a structure. */
  readonly into?: Ref | Slot;
  /** Transfer all of argument 2's bytes; a stream that ends before is ENODATA, a disk that is full is ENOSPC. */
  readonly full?: boolean;
}

/** A place in the program to go on at; only ever forwards. */
export class Label {
  step: Step | undefined;
}

/** What a step is made from; what is left out is empty. */
interface StepParts {
  readonly op: keyof typeof wire.op;
  readonly args: readonly Argument[];
  readonly note: string;
  readonly call?: SyscallName;
  readonly tolerate?: readonly Errno[] | "all" | undefined;
  readonly orElse?: Label | undefined;
  readonly into?: Ref | undefined;
  readonly full?: boolean | undefined;
  readonly narrow?: boolean | undefined;
  readonly target?: Label;
  /** The steps of the child, for `clone`. */
  readonly child?: readonly Step[];
}

const none: readonly Errno[] = [];

/** One step as the builder keeps it, before it becomes 80 bytes. A class, so that all have one shape for the engine. */
export class Step {
  readonly op: keyof typeof wire.op;
  readonly call: SyscallName | undefined;
  readonly args: readonly Argument[];
  readonly note: string;
  readonly concept: Concept;
  readonly tolerate: readonly Errno[] | "all";
  readonly orElse: Label | undefined;
  readonly into: Ref | undefined;
  readonly full: boolean;
  /** Only four bytes of the result are stored. */
  readonly narrow: boolean;
  readonly target: Label | undefined;
  readonly child: readonly Step[] | undefined;
  /** Place in the encoded program. */
  index = -1;

  constructor(parts: StepParts, concept: Concept) {
    this.op = parts.op;
    this.call = parts.call;
    this.args = parts.args;
    this.note = parts.note;
    this.concept = concept;
    this.tolerate = parts.tolerate ?? none;
    this.orElse = parts.orElse;
    this.into = parts.into;
    this.full = parts.full ?? false;
    this.narrow = parts.narrow ?? false;
    this.target = parts.target;
    this.child = parts.child;
  }
}

/** fork flags and what the child gets; `flags` as for clone3(2). */
export interface CloneOptions extends Pick<StepOptions, "note"> {
  readonly flags: number | bigint;
  /** What a reader sees for `flags`. */
  readonly flagNames?: string;
  /** Descriptor of a v2 cgroup directory the child is born in (CLONE_INTO_CGROUP is added). */
  readonly cgroup?: Slot;
  /** Its parent is that of the process that clones it, which hears of its end (CLONE_PARENT). */
  readonly sibling?: boolean;
}

const CLONE_PARENT = 0x8000n;
const CLONE_PIDFD = 0x1000;
const CLONE_INTO_CGROUP = 0x2_0000_0000n;
const SIGCHLD = 17;

/**
 * A flat list of system calls over one block of memory: everything Sampan does to the kernel is built as one of these,
 * can be printed, and is executed by the native helper (`native/executor.c`).
 *
 * Life: build with the methods below → `encode()` once → executed by `Executor.run` → `Results`. A step that fails
 * with an errno it does not tolerate ends the program: processes it cloned are killed, the caller gets a `KernelError`
 * with that step; what it left behind (directories, cgroups) is the caller's to undo.
 */
export class Program {
  /** What the whole is for, an infinitive: "start container 3f2a…". Errors begin with it. */
  readonly purpose: string;
  readonly block = new Block();
  /** Where the block's data differs between programs of one kind, in the order of `variable`. */
  readonly variables: Range[] = [];
  readonly #main: Step[] = [];
  readonly #segments: Step[][] = [this.#main];
  readonly #waiting = new Map<Step[], Label[]>();
  #current = this.#main;
  #concept: Concept = "process";
  #order: Step[] | undefined;

  constructor(purpose: string) {
    this.purpose = purpose;
  }

  /** The steps of the main process in order; a clone step carries its child's. */
  get steps(): readonly Step[] {
    return this.#main;
  }

  /** All steps in the order of the wire. */
  get order(): readonly Step[] {
    if (!this.#order) throw new SampanError("internal", "Cannot list the steps: the program is not encoded yet");
    return this.#order;
  }

  /** The step of an index on the wire. */
  step(index: number): Step | undefined {
    return this.order[index];
  }

  /** Steps added by `body` belong to `concept`. */
  in<T>(concept: Concept, body: () => T): T {
    const outer = this.#concept;
    this.#concept = concept;
    try {
      return body();
    } finally {
      this.#concept = outer;
    }
  }

  /** What `body` adds to the block is other data in each program of this kind, of the same size and at the same place. */
  variable<T>(body: () => T): T {
    const results: T[] = [];
    this.variables.push(this.block.apart(() => results.push(body())));
    return results[0] as T;
  }

  /** NUL-terminated text in the block. */
  text(text: string): Ref {
    return this.block.text(text);
  }

  bytes(bytes: Uint8Array, label?: string): Ref {
    return this.block.bytes(bytes, label);
  }

  /** An array of 64-bit words: argv, iovec, structures; `Ref`s become addresses. */
  words(fields: readonly (number | bigint | Ref)[], label = "{…}"): Ref {
    return this.block.words(fields, label);
  }

  /** A NULL-terminated array of strings, as execve wants it. */
  strings(strings: readonly string[]): Ref {
    return this.block.words([...strings.map((text) => this.text(text)), 0], () => JSON.stringify(strings));
  }

  /** Zeroed memory that comes back with the results. */
  buffer(size: number, label = `<${size} bytes>`): Ref {
    return this.block.results(size, label);
  }

  /** A variable; zero at the start. */
  slot(label = "result"): Slot {
    return new Slot(this.block.results(8, label));
  }

  /** Two 32-bit variables side by side, as pipe2(2) and socketpair(2) fill them. */
  pair(label: string): { address: Ref; first: Slot; second: Slot } {
    const address = this.block.results(8, label);
    return { address, first: new Slot(address, 4), second: new Slot(address.at(4), 4) };
  }

  label(): Label {
    return new Label();
  }

  /** The next step added to this process is where `label` points. */
  place(label: Label): void {
    const waiting = this.#waiting.get(this.#current) ?? [];
    waiting.push(label);
    this.#waiting.set(this.#current, waiting);
  }

  /** A system call. The result is its return value, or -errno where that errno is tolerated. */
  sys(call: SyscallName, args: readonly Argument[], options: StepOptions): Slot {
    const into = options.into ?? this.slot(call);
    const slot = into instanceof Slot ? into : new Slot(into);
    this.#addCall(call, args, options, slot.address);
    return slot;
  }

  /** As `sys` for a call whose result nobody reads: it needs no variable. */
  call(call: SyscallName, args: readonly Argument[], options: Omit<StepOptions, "into">): void {
    this.#addCall(call, args, options, undefined);
  }

  /**
   * A new process that executes `child` and nothing after it; it must end in execve or `exit`, else it leaves with 127.
   * A failing step of the child is reported by the next `check` of the parent.
   */
  clone(options: CloneOptions, child: () => void): { pid: Slot; pidfd: Slot } {
    const pidfd = this.slot("pidfd");
    const { sibling = false, cgroup } = options;
    const own = BigInt(CLONE_PIDFD) | (cgroup ? CLONE_INTO_CGROUP : 0n) | (sibling ? CLONE_PARENT : 0n);
    const flags = BigInt(options.flags) | own;
    // struct clone_args of clone3(2): flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup
    const args = this.words(
      // A sibling's end is told by the signal that its cloner's is
      [flags, pidfd.address, 0, 0, sibling ? 0 : SIGCHLD, 0, 0, 0, 0, 0, 0],
      `{ flags: ${options.flagNames ?? flags} }`,
    );
    if (cgroup) this.copy(cgroup, args.at(80), "hand the cgroup's descriptor to clone3");
    const pid = this.slot("pid");
    const target = new Label();
    const segment: Step[] = [];
    this.#add({
      op: "clone",
      args: [args, 88],
      note: options.note,
      into: pid.address,
      target,
      child: segment,
    });
    this.#segments.push(segment);
    const outer = this.#current;
    this.#current = segment;
    this.place(target);
    child();
    this.#add({ op: "exit", args: [127], note: "leave: nothing is left to do" });
    this.#current = outer;
    return { pid, pidfd };
  }

  /** Copies a variable's value to `to`, a 64-bit field of a structure. */
  copy(from: Slot, to: Ref, note: string): void {
    this.#add({ op: "copy", args: [from], note, into: to });
  }

  /** As `copy`, to a field of 32 bits: a descriptor inside a netlink message. */
  copy32(from: Slot | number, to: Ref, note: string): void {
    this.#add({ op: "copy", args: [from], note, into: to, narrow: true });
  }

  /**
   * Reads what the kernel has answered at a netlink socket; the first error among the answers is this step's. Requests
   * are answered before their sendto returns (netlink(7)).
   */
  answer(socket: Slot | number, { note, tolerate }: Pick<StepOptions, "note" | "tolerate">): void {
    this.#add({ op: "answer", args: [socket], note, tolerate });
  }

  /** Writes `value` in decimal to a buffer; returns the text and the variable that holds its length. */
  decimal(value: Slot, note: string): { text: Ref; length: Slot } {
    const text = this.buffer(24, "decimal");
    const length = this.slot("length");
    this.#add({ op: "decimal", args: [value, text], note, into: length.address });
    return { text, length };
  }

  /** Fails with `errno` unless `value` is zero: a process that a program has waited for must have ended well. */
  expect(
    value: Slot,
    { errno, ...options }: Pick<StepOptions, "note" | "tolerate" | "orElse"> & { errno: Errno },
  ): void {
    this.#add({ op: "expect", args: [value, errnoNumber(errno)], ...options });
  }

  jump(target: Label, note: string): void {
    this.#add({ op: "jump", args: [], note, target });
  }

  /** Tells the caller the results so far; `Execution.results` resolves. */
  reply(note: string): void {
    this.#add({ op: "reply", args: [], note });
  }

  /** Fails with what a child failed with. */
  check(note: string): void {
    this.#add({ op: "check", args: [], note });
  }

  /** Becomes the monitor of `pid` (see `wire.supervision` for the structure); the result is its wait status. */
  supervise(pid: Slot, supervision: Ref, note: string): Slot {
    const status = this.slot("status");
    this.#add({ op: "supervise", args: [pid, supervision], note, into: status.address });
    return status;
  }

  /** Stays as an init process; a child goes on. */
  init(note: string): void {
    this.#add({ op: "init", args: [], note });
  }

  /** Sends `record` to everybody who waits for the end of the supervised process. */
  announce(record: Ref, note: string): void {
    this.#add({ op: "announce", args: [record, record.size], note });
  }

  linger(note: string): void {
    this.#add({ op: "linger", args: [], note });
  }

  exit(status: number, note: string): void {
    this.#add({ op: "exit", args: [status], note });
  }

  /** The bytes of the wire. Nothing may be added afterwards. */
  encode(): Buffer {
    this.#current = this.#main;
    this.#add({ op: "end", args: [], note: "report the results" });
    const order = this.#segments.flat();
    for (let index = 0; index < order.length; index++) (order[index] as Step).index = index;
    this.#order = order;
    return encodeProgram(order, this.block);
  }

  #addCall(
    call: SyscallName,
    args: readonly Argument[],
    { note, tolerate, orElse, full }: Omit<StepOptions, "into">,
    into: Ref | undefined,
  ): void {
    this.#add({ op: "sys", call, args, note, tolerate, orElse, full, into });
  }

  #add(parts: StepParts): void {
    const step = new Step(parts, this.#concept);
    if (step.tolerate !== "all" && step.tolerate.length > 4)
      throw new SampanError("internal", `Cannot add "${step.note}": a step tolerates four errnos at most`);
    const waiting = this.#waiting.get(this.#current);
    if (waiting) {
      for (const label of waiting) label.step = step;
      this.#waiting.delete(this.#current);
    }
    this.#current.push(step);
  }
}
