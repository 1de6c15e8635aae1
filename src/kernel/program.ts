import { Block, Named, Ref, Slot } from "./block.ts";
import { type Errno, errnoNumber } from "./errno.ts";
import { hostArch, type SyscallName, syscallNumber } from "./syscalls/index.ts";
import * as wire from "./wire.ts";

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

/** One step as the builder keeps it, before it becomes 80 bytes. */
export interface Step {
  readonly op: keyof typeof wire.op;
  readonly call?: SyscallName;
  readonly args: readonly Argument[];
  readonly note: string;
  readonly concept: Concept;
  readonly tolerate: readonly Errno[] | "all";
  readonly orElse?: Label;
  readonly into?: Ref;
  readonly full: boolean;
  readonly target?: Label;
  /** The steps of the child, for `clone`. */
  readonly child?: readonly Step[];
  index: number;
}

/** fork flags and what the child gets; `flags` as for clone3(2). */
export interface CloneOptions extends Pick<StepOptions, "note"> {
  readonly flags: number | bigint;
  /** What a reader sees for `flags`. */
  readonly flagNames?: string;
  /** Descriptor of a v2 cgroup directory the child is born in (CLONE_INTO_CGROUP is added). */
  readonly cgroup?: Slot;
}

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
    if (!this.#order) throw new TypeError("the program is not encoded yet");
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
    return this.block.words([...strings.map((text) => this.text(text)), 0], JSON.stringify(strings));
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
    this.#add({
      op: "sys",
      call,
      args,
      note: options.note,
      tolerate: options.tolerate ?? [],
      full: options.full ?? false,
      into: into instanceof Slot ? into.address : into,
      ...(options.orElse && { orElse: options.orElse }),
    });
    return into instanceof Slot ? into : new Slot(into);
  }

  /** As `sys` for a call whose result nobody reads: it needs no variable. */
  call(call: SyscallName, args: readonly Argument[], options: Omit<StepOptions, "into">): void {
    this.#add({
      op: "sys",
      call,
      args,
      note: options.note,
      tolerate: options.tolerate ?? [],
      full: options.full ?? false,
      ...(options.orElse && { orElse: options.orElse }),
    });
  }

  /**
   * A new process that executes `child` and nothing after it; it must end in execve or `exit`, else it leaves with 127.
   * A failing step of the child is reported by the next `check` of the parent.
   */
  clone(options: CloneOptions, child: () => void): { pid: Slot; pidfd: Slot } {
    const pidfd = this.slot("pidfd");
    const flags = BigInt(options.flags) | BigInt(CLONE_PIDFD) | (options.cgroup ? CLONE_INTO_CGROUP : 0n);
    // struct clone_args of clone3(2): flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup
    const args = this.words(
      [flags, pidfd.address, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0],
      `{ flags: ${options.flagNames ?? flags} }`,
    );
    if (options.cgroup) this.copy(options.cgroup, args.at(80), "hand the cgroup's descriptor to clone3");
    const pid = this.slot("pid");
    const target = new Label();
    const segment: Step[] = [];
    this.#add({
      op: "clone",
      args: [args, 88],
      note: options.note,
      tolerate: [],
      full: false,
      into: pid.address,
      target,
      child: segment,
    });
    this.#segments.push(segment);
    const outer = this.#current;
    this.#current = segment;
    this.place(target);
    child();
    this.#add({ op: "exit", args: [127], note: "leave: nothing is left to do", tolerate: [], full: false });
    this.#current = outer;
    return { pid, pidfd };
  }

  /** Copies a variable's value to `to`, a 64-bit field of a structure. */
  copy(from: Slot, to: Ref, note: string): void {
    this.#add({ op: "copy", args: [from], note, tolerate: [], full: false, into: to });
  }

  /** Writes `value` in decimal to a buffer; returns the text and the variable that holds its length. */
  decimal(value: Slot, note: string): { text: Ref; length: Slot } {
    const text = this.buffer(24, "decimal");
    const length = this.slot("length");
    this.#add({ op: "decimal", args: [value, text], note, tolerate: [], full: false, into: length.address });
    return { text, length };
  }

  jump(target: Label, note: string): void {
    this.#add({ op: "jump", args: [], note, tolerate: [], full: false, target });
  }

  /** Tells the caller the results so far; `Execution.results` resolves. */
  reply(note: string): void {
    this.#add({ op: "reply", args: [], note, tolerate: [], full: false });
  }

  /** Fails with what a child failed with. */
  check(note: string): void {
    this.#add({ op: "check", args: [], note, tolerate: [], full: false });
  }

  /** Becomes the monitor of `pid` (see `wire.supervision` for the structure); the result is its wait status. */
  supervise(pid: Slot, supervision: Ref, note: string): Slot {
    const status = this.slot("status");
    this.#add({ op: "supervise", args: [pid, supervision], note, tolerate: [], full: false, into: status.address });
    return status;
  }

  /** Stays as an init process; a child goes on. */
  init(note: string): void {
    this.#add({ op: "init", args: [], note, tolerate: [], full: false });
  }

  /** Sends `record` to everybody who waits for the end of the supervised process. */
  announce(record: Ref, note: string): void {
    this.#add({ op: "announce", args: [record, record.size], note, tolerate: [], full: false });
  }

  linger(note: string): void {
    this.#add({ op: "linger", args: [], note, tolerate: [], full: false });
  }

  exit(status: number, note: string): void {
    this.#add({ op: "exit", args: [status], note, tolerate: [], full: false });
  }

  /** The bytes of the wire. Nothing may be added afterwards. */
  encode(): Buffer {
    this.#current = this.#main;
    this.#add({ op: "end", args: [], note: "report the results", tolerate: [], full: false });
    const order = this.#segments.flat();
    for (const [index, step] of order.entries()) step.index = index;
    this.#order = order;
    const { data, relocations } = this.block.finish();
    const stepsAt = wire.header.size;
    const relocationsAt = stepsAt + order.length * wire.step.size;
    const dataAt = relocationsAt + ((relocations.length + 1) & ~1) * 4;
    const out = Buffer.alloc(dataAt + data.length);
    out.writeUInt32LE(wire.protocol.magic, wire.header.magic);
    out.writeUInt32LE(order.length, wire.header.steps);
    out.writeUInt32LE(relocations.length, wire.header.relocations);
    out.writeUInt32LE(data.length, wire.header.dataSize);
    out.writeUInt32LE(this.block.size, wire.header.blockSize);
    out.writeUInt32LE(data.length, wire.header.resultOffset);
    out.writeUInt32LE(this.block.resultSize, wire.header.resultSize);
    let at = stepsAt;
    for (const step of order) {
      this.#encodeStep(out, at, step);
      at += wire.step.size;
    }
    for (const [index, offset] of relocations.entries()) out.writeUInt32LE(offset, relocationsAt + index * 4);
    data.copy(out, dataAt);
    return out;
  }

  #encodeStep(out: Buffer, at: number, step: Step): void {
    out.writeUInt16LE(wire.op[step.op], at + wire.step.op);
    if (step.call) out.writeUInt32LE(syscallNumber(step.call, hostArch()), at + wire.step.number);
    let flags = 0;
    if (step.full) flags |= wire.stepFlag.full;
    if (step.into) {
      flags |= wire.stepFlag.store;
      out.writeUInt32LE(this.block.offsetOf(step.into), at + wire.step.into);
    }
    if (step.tolerate === "all") flags |= wire.stepFlag.tolerateAll;
    else
      for (const [index, name] of step.tolerate.entries())
        out.writeUInt16LE(errnoNumber(name), at + wire.step.tolerate + index * 2);
    const target = step.orElse ?? step.target;
    if (step.orElse) flags |= wire.stepFlag.orElse;
    if (target) {
      if (!target.step) throw new TypeError(`a label used by "${step.note}" is placed nowhere`);
      out.writeUInt32LE(target.step.index, at + wire.step.target);
    }
    out.writeUInt16LE(flags, at + wire.step.flags);
    for (const [index, argument] of step.args.entries()) this.#encodeArgument(out, at, index, argument);
  }

  #encodeArgument(out: Buffer, at: number, index: number, argument: Argument): void {
    const valueAt = at + wire.step.args + index * 8;
    if (argument instanceof Ref || argument instanceof Slot) {
      const variable = argument instanceof Slot;
      out.writeUInt8(variable ? variableKind(argument) : wire.argument.address, at + wire.step.kinds + index);
      out.writeUInt32LE(this.block.offsetOf(variable ? argument.address : argument), valueAt);
      return;
    }
    const value = argument instanceof Named ? argument.value : argument;
    if (typeof value === "number" && value >= 0 && value <= 0xffffffff) out.writeUInt32LE(value, valueAt);
    else out.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), valueAt);
  }

  #add(step: Omit<Step, "index" | "concept">): void {
    if (step.tolerate !== "all" && step.tolerate.length > 4)
      throw new RangeError("a step tolerates four errnos at most");
    const added: Step = { ...step, concept: this.#concept, index: -1 };
    for (const label of this.#waiting.get(this.#current) ?? []) label.step = added;
    this.#waiting.delete(this.#current);
    this.#current.push(added);
  }
}

function variableKind(slot: Slot): number {
  return slot.width === 4 ? wire.argument.int : wire.argument.value;
}
