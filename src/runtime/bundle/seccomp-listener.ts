import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { unixAddress } from "../supervision.ts";

/** Who is asked about the system calls that a filter does not decide (SCMP_ACT_NOTIFY; seccomp_unotify(2), Linux 5.0). */
export interface ListenerSpec {
  /** Absolute path of a Unix socket, at most 107 bytes. */
  readonly path: string;
  /** The container process state (config-linux.md) as JSON: the process id belongs between the parts. */
  readonly state: readonly string[];
}

/**
 * Hands the descriptor of a filter's notifications to its listener. The process itself cannot: what it would call may be what
 * is asked about. So the worker takes the descriptor out of it and sends it:
 *
 *     worker: connect ── clone ─────────── handOver ── …
 *     child:                └─ filter, tell ──┘  waits at its first call that is asked about
 *
 * Between the filter and `tell`'s write(2) nothing is called, which is why no profile may ask about that.
 */
export class SeccompListener {
  readonly #p: Program;
  readonly #spec: ListenerSpec;
  readonly #socket: Slot;
  #descriptor: Slot | undefined;

  /** In the worker, before the clone. */
  constructor(p: Program, spec: ListenerSpec) {
    this.#p = p;
    this.#spec = spec;
    const { address, size } = unixAddress(p, spec.path);
    const type = named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
    this.#socket = p.sys("socket", [named(f.AF_UNIX, "AF_UNIX"), type, 0], { note: "make a socket" });
    p.call("connect", [this.#socket, address, size], { note: "connect to the listener of the filter's questions" });
  }

  /**
   * In the child: `descriptor` is what installing the filter gave it, in memory that the worker sees. execve(2) closes it: who
   * goes on to that without waiting for anything else waits at `taken`.
   */
  tell(descriptor: Slot, end: Slot, taken?: Slot): void {
    const p = this.#p;
    this.#descriptor = descriptor;
    p.call("write", [end, p.text("f"), 1], { note: "tell that the filter is there" });
    if (taken === undefined) return;
    p.call("read", [taken, p.buffer(8, "byte"), 1], { note: "keep its descriptor until it is taken", tolerate: "all" });
  }

  /** In the worker; `start` and `go` are the other ends. The child may have failed instead. */
  handOver(child: { readonly pid: Slot; readonly pidfd: Slot }, start: Slot, go?: Slot): void {
    const p = this.#p;
    p.call("read", [start, p.buffer(8, "byte"), 1], { note: "wait until its filter is there" });
    p.check("has it failed?");
    if (this.#descriptor === undefined) return;
    const taken = p.sys("pidfd_getfd", [child.pidfd, this.#descriptor, 0], {
      note: "take what the filter asks through",
    });
    this.#send(child.pid, taken);
    if (go !== undefined) p.call("write", [go, p.text("."), 1], { note: "let the child go on" });
    for (const one of [taken, this.#socket]) p.call("close", [one], { note: "the listener has it" });
  }

  #send(pid: Slot, descriptor: Slot): void {
    const p = this.#p;
    const { text, length } = p.decimal(pid, "write the process id in digits");
    const parts = this.#spec.state.flatMap((part, index) => [
      ...(index > 0 ? [{ at: text, size: length }] : []),
      { at: p.text(part), size: Buffer.byteLength(part) },
    ]);
    const vector = p.words(
      parts.flatMap(({ at, size }) => [at, typeof size === "number" ? size : 0]),
      "{ state }",
    );
    for (const [index, { size }] of parts.entries())
      if (typeof size !== "number") p.copy(size, vector.at(index * 16 + 8), "with the process id");
    // SCM_RIGHTS (unix(7)): struct cmsghdr { len 20, SOL_SOCKET, SCM_RIGHTS } and the descriptor
    const control = p.words([20, BigInt(f.SOL_SOCKET) | (BigInt(f.SCM_RIGHTS) << 32n), 0], "{ SCM_RIGHTS }");
    p.copy(descriptor, control.at(16), "put the descriptor into a message");
    const message = p.words([0, 0, vector, parts.length, control, 24, 0], "{ msghdr }");
    p.call("sendmsg", [this.#socket, message, named(f.MSG_NOSIGNAL, "MSG_NOSIGNAL")], {
      note: "send the container's state and the descriptor",
    });
  }
}
