import { named, type Ref, Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import type { ProcessSpec } from "./types.ts";

/** The monitor's ends of a process's stdio; -1 where there is none. */
export interface MonitorEnds {
  readonly stdin: Slot | number;
  readonly stdout: Slot | number;
  readonly stderr: Slot | number;
  readonly terminal: Slot | number;
}

/**
 * Stdio between a monitor and the process it starts, in three acts: the constructor before the clone (in the parent),
 * `connect` in the child, `keep` in the parent afterwards.
 */
export interface Stdio {
  connect(inside: Inside): void;
  keep(): MonitorEnds;
}

/** With an `owner`, as the machine knows them, the pipes are theirs, who may open them again. */
export function makeStdio(p: Program, process: ProcessSpec, owner?: PipeOwner): Stdio {
  return process.terminal ? new TerminalStdio(p, process) : new PipeStdio(p, process, owner);
}

interface PipeOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Bytes: what a monitor reads at once. The usual 64 KiB cost a third more time where much is written. */
const pipeSize = 256 * 1024;

const CLOEXEC = named(f.O_CLOEXEC, "O_CLOEXEC");

class PipeStdio implements Stdio {
  readonly #p: Program;
  readonly #process: ProcessSpec;
  readonly #pipes: Record<"stdin" | "stdout" | "stderr", ReturnType<Program["pair"]>>;

  constructor(p: Program, process: ProcessSpec, owner: PipeOwner | undefined) {
    this.#p = p;
    this.#process = process;
    this.#pipes = { stdin: p.pair("stdin"), stdout: p.pair("stdout"), stderr: p.pair("stderr") };
    for (const name of this.#names()) {
      p.call("pipe2", [this.#pipes[name].address, CLOEXEC], { note: `make a pipe for ${name}` });
      if (owner === undefined) continue;
      p.call("fchown", [this.#pipes[name].first, owner.uid, owner.gid], {
        note: `let the user open /dev/${name} again`,
      });
    }
  }

  connect(inside: Inside): void {
    const p = this.#p;
    if (!this.#process.openStdin) {
      const null_ = inside.open("/dev/null", f.O_RDONLY, { note: "open /dev/null: nobody will type" });
      p.call("dup3", [null_, 0, 0], { note: "make it stdin" });
    }
    for (const name of this.#names()) {
      const { first, second } = this.#pipes[name];
      const number = { stdin: 0, stdout: 1, stderr: 2 }[name];
      p.call("dup3", [name === "stdin" ? first : second, number, 0], { note: `make the pipe ${name}` });
    }
    const { uid } = this.#process.user;
    if (uid === 0) return;
    for (const name of this.#names()) {
      const number = { stdin: 0, stdout: 1, stderr: 2 }[name];
      p.call("fchown", [number, uid, -1], {
        note: `let the user open /dev/${name} again`,
        tolerate: ["EINVAL", "EPERM", "EROFS"],
      });
    }
  }

  keep(): MonitorEnds {
    const { stdin, stdout, stderr } = this.#pipes;
    for (const name of this.#names()) {
      const { first, second } = this.#pipes[name];
      this.#p.call("close", [name === "stdin" ? first : second], {
        note: `leave the container's end of ${name} to it`,
      });
    }
    for (const [name, { first }] of Object.entries({ stdout, stderr })) {
      this.#p.call("fcntl", [first, named(f.F_SETPIPE_SZ, "F_SETPIPE_SZ"), pipeSize], {
        note: `let more than usual be on its way from ${name}`,
        tolerate: "all",
      });
    }
    return {
      stdin: this.#process.openStdin ? stdin.second : -1,
      stdout: stdout.first,
      stderr: stderr.first,
      terminal: -1,
    };
  }

  #names(): ("stdin" | "stdout" | "stderr")[] {
    return this.#process.openStdin ? ["stdin", "stdout", "stderr"] : ["stdout", "stderr"];
  }
}

/** The terminal is one of the container's own /dev/pts, so that `tty` and job control work there; its master travels to the monitor. */
class TerminalStdio implements Stdio {
  readonly #p: Program;
  readonly #process: ProcessSpec;
  readonly #sockets: ReturnType<Program["pair"]>;

  constructor(p: Program, process: ProcessSpec) {
    this.#p = p;
    this.#process = process;
    this.#sockets = p.pair("terminal");
    p.call(
      "socketpair",
      [
        named(f.AF_UNIX, "AF_UNIX"),
        named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC"),
        0,
        this.#sockets.address,
      ],
      {
        note: "make a way for the terminal to travel",
      },
    );
  }

  connect(inside: Inside): void {
    makeTerminal(this.#p, inside, this.#process, this.#sockets.second);
  }

  keep(): MonitorEnds {
    const p = this.#p;
    p.call("close", [this.#sockets.second], { note: "leave the container's end to it" });
    const control = p.buffer(24, "control");
    const data = p.words([p.buffer(8, "byte"), 1], "{ iov }");
    const message = p.words([0, 0, data, 1, control, 24, 0], "{ msghdr }");
    p.call("recvmsg", [this.#sockets.first, message, named(f.MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC")], {
      note: "take the terminal's other side",
      tolerate: "all",
    });
    p.check("has the container come this far?");
    p.call("close", [this.#sockets.first], { note: "nothing more will travel" });
    return { stdin: -1, stdout: -1, stderr: -1, terminal: new Slot(control.at(16), 4) };
  }
}

/** Steps that make a terminal in the container's /dev/pts the process's, and send its master through `socket`. */
export function makeTerminal(p: Program, inside: Inside, process: ProcessSpec, socket: Slot): void {
  const master = inside.open("/dev/pts/ptmx", f.O_RDWR | f.O_NOCTTY, { note: "make a terminal" });
  p.call("ioctl", [master, named(f.TIOCSPTLCK, "TIOCSPTLCK"), p.words([0], "[0]")], { note: "unlock it" });
  const slave = p.sys(
    "ioctl",
    [
      master,
      named(f.TIOCGPTPEER, "TIOCGPTPEER"),
      named(f.O_RDWR | f.O_NOCTTY | f.O_CLOEXEC, "O_RDWR|O_NOCTTY|O_CLOEXEC"),
    ],
    {
      note: "open the container's side of it",
    },
  );
  setSize(p, slave, process.consoleSize);
  send(p, master, socket);
  const { uid, gid } = process.user;
  if (uid !== 0)
    p.call("fchown", [slave, uid, gid === 0 ? -1 : gid], {
      note: "give it to the user",
      tolerate: ["EPERM", "EROFS"],
    });
  for (const number of [0, 1, 2])
    p.call("dup3", [slave, number, 0], { note: `make it ${["stdin", "stdout", "stderr"][number]}` });
  p.call("setsid", [], { note: "start a session", tolerate: ["EPERM"] });
  p.call("ioctl", [0, named(f.TIOCSCTTY, "TIOCSCTTY"), 0], { note: "make it the session's terminal" });
}

function setSize(p: Program, terminal: Slot, size: ProcessSpec["consoleSize"]): void {
  if (!size) return;
  const [rows, columns] = size;
  const winsize: Ref = p.words([(rows | (columns << 16)) >>> 0], `{ ${rows} rows, ${columns} columns }`);
  p.call("ioctl", [terminal, named(f.TIOCSWINSZ, "TIOCSWINSZ"), winsize], { note: "give it its size" });
}

/** SCM_RIGHTS (unix(7)): struct cmsghdr { len 20, SOL_SOCKET, SCM_RIGHTS } and the descriptor. */
function send(p: Program, master: Slot, socket: Slot): void {
  const control = p.words([20, BigInt(f.SOL_SOCKET) | (BigInt(f.SCM_RIGHTS) << 32n), 0], "{ SCM_RIGHTS }");
  p.copy(master, control.at(16), "put the other side into a message");
  const data = p.words([p.text("/dev/ptmx"), 9], "{ iov }");
  p.call("sendmsg", [socket, p.words([0, 0, data, 1, control, 24, 0], "{ msghdr }"), 0], {
    note: "hand it over",
  });
}
