import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import type { Inside } from "../inside.ts";
import { type MonitorEnds, makeStdio, makeTerminal, type Stdio } from "../stdio.ts";
import { prepareSupervision, unixAddress } from "../supervision.ts";
import type { ProcessSpec } from "../types.ts";

/** Where the standard streams of a bundle's process lead. */
export interface StreamOptions {
  /** The socket that takes the terminal's master. */
  readonly consoleSocket?: string;
  /** Where the worker serves the terminal itself, for a caller in the foreground that attaches; at most 107 bytes. */
  readonly terminalSocket?: string;
  /** Standard streams that belong to the container's user: no terminals, no devices of the machine. */
  readonly ownedStreams: readonly number[];
}

/**
 * The standard streams of a bundle's process: those of the caller; or a terminal, whose master goes to the console
 * socket, or stays with the worker, which then serves it as a monitor does.
 */
export class BundleStreams {
  readonly #p: Program;
  readonly #process: ProcessSpec;
  readonly #options: StreamOptions;
  readonly #console: Slot | undefined;
  readonly #served: Stdio | undefined;

  /** In the worker, before the clone. */
  constructor(p: Program, process: ProcessSpec, options: StreamOptions) {
    this.#p = p;
    this.#process = process;
    this.#options = options;
    if (!process.terminal) return;
    if (options.consoleSocket !== undefined) this.#console = connect(p, options.consoleSocket);
    else if (options.terminalSocket !== undefined) this.#served = makeStdio(p, process);
  }

  /** In the child, while it can still make a terminal of its own /dev/pts. */
  connect(inside: Inside): void {
    if (this.#console !== undefined) makeTerminal(this.#p, inside, this.#process, this.#console);
    else if (this.#served !== undefined) {
      this.#served.connect(inside);
      this.#leaveLineEnds();
    } else this.#give();
  }

  /** In the worker, after the clone. */
  keep(): MonitorEnds | undefined {
    if (this.#console !== undefined) this.#p.call("close", [this.#console], { note: "the terminal is on its way" });
    return this.#served?.keep();
  }

  /**
   * The worker's last steps. Who waits gets a reply, and then the process's wait status: where the answer is in the
   * results of the program's end, or, when the worker served a terminal, as what a monitor announces.
   */
  finish(
    child: { readonly pid: Slot; readonly pidfd: Slot },
    ends: MonitorEnds | undefined,
    afterwards: "leave" | "wait",
  ): Slot {
    const p = this.#p;
    const status = p.slot("wait status");
    if (afterwards === "leave") return status;
    const socket = this.#options.terminalSocket;
    if (ends === undefined || socket === undefined) {
      p.reply("tell that it is there");
      p.call("wait4", [child.pid, status.address, 0, 0], { note: "wait for its end" });
      return status;
    }
    const options = { process: this.#process, files: { socket }, hold: true, title: "sampan-terminal", ends, child };
    const supervision = prepareSupervision(p, options);
    p.reply("tell that it is there");
    p.copy(
      p.supervise(child.pid, supervision, "serve its terminal until its end"),
      status.address,
      "note how it ended",
    );
    p.announce(status.address, "tell that it has ended");
    p.call("unlinkat", [f.AT_FDCWD, p.text(socket), 0], { note: "remove the socket", tolerate: "all" });
    p.linger("deliver what was not read yet");
    p.exit(0, "leave");
    return status;
  }

  /** The caller's terminal turns a line's end into a carriage return and a line feed, and once is enough (termios(3), ONLCR). */
  #leaveLineEnds(): void {
    const p = this.#p;
    const termios = p.buffer(64, "termios");
    p.call("ioctl", [0, named(f.TCGETS, "TCGETS"), termios], { note: "read how the terminal treats what is written" });
    p.copy32(OPOST, termios.at(4), "leave line ends as they are");
    p.call("ioctl", [0, named(f.TCSETS, "TCSETS"), termios], { note: "set that" });
  }

  /** A user other than root opens /dev/stdout and its like again. */
  #give(): void {
    const { uid } = this.#process.user;
    if (uid === 0) return;
    for (const number of this.#options.ownedStreams) {
      this.#p.call("fchown", [number, uid, -1], {
        note: `let the user open ${["stdin", "stdout", "stderr"][number]} again`,
        tolerate: ["EINVAL", "EPERM", "EROFS"],
      });
    }
  }
}

/** c_oflag, the second word of struct termios, is ONLCR and this for a new terminal. */
const OPOST = 1;

function connect(p: Program, path: string): Slot {
  const { address, size } = unixAddress(p, path);
  const type = named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
  const socket = p.sys("socket", [named(f.AF_UNIX, "AF_UNIX"), type, 0], { note: "make a socket" });
  p.call("connect", [socket, address, size], { note: "connect to the console socket" });
  return socket;
}
