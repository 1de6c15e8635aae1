import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import type { Failure } from "./gate.ts";
import type { Hook, InnerHooks } from "./types.ts";

const SIGKILL = 9;

/**
 * Hooks in the container's namespaces, one after the other, each with the state on its standard input. One that ends with
 * anything but 0, or not in time, fails the program, or goes to `failure`.
 */
export function runInnerHooks(
  p: Program,
  hooks: InnerHooks,
  options: { kind: "createContainer" | "startContainer"; pid: Slot; failure?: Failure },
): void {
  const list = hooks[options.kind];
  if (list.length === 0) return;
  const [before, after] = hooks.state(options.kind === "createContainer" ? "creating" : "created");
  const state = writeState(p, options.pid, before, after);
  for (const [index, hook] of list.entries())
    runHook(p, hook, `${options.kind} hook #${index}`, state, options.failure);
  p.call("close", [state], { note: "the state was told" });
}

/** A file in memory: what hooks read is there in full, and ends. */
function writeState(p: Program, pid: Slot, before: string, after: string): Slot {
  const file = p.sys("memfd_create", [p.text("state"), named(f.MFD_CLOEXEC, "MFD_CLOEXEC")], {
    note: "make a file for the state",
  });
  const { text, length } = p.decimal(pid, "write the process id in digits");
  p.call("write", [file, p.text(before), Buffer.byteLength(before)], { note: "write the state", full: true });
  p.call("write", [file, text, length], { note: "with the process id" });
  p.call("write", [file, p.text(after), Buffer.byteLength(after)], { note: "to its end", full: true });
  return file;
}

function runHook(p: Program, hook: Hook, name: string, state: Slot, failure: Failure | undefined): void {
  const child = p.clone({ flags: 0, note: `start the ${name}` }, () => {
    p.call("lseek", [state, 0, named(f.SEEK_SET, "SEEK_SET")], { note: "from its beginning" });
    p.call("dup3", [state, 0, 0], { note: "let it read the state", tolerate: ["EINVAL"] });
    p.call("chdir", [p.text("/")], { note: "go to /" });
    p.call("execve", [p.text(hook.path), p.strings(hook.argv), p.strings(hook.env)], {
      note: `run ${hook.path}`,
      ...(failure && { tolerate: "all" }),
    });
  });
  if (hook.timeout !== undefined) limitTime(p, child.pidfd, hook.timeout);
  const status = p.slot("hook's status");
  p.call("wait4", [child.pid, status.address, 0, 0], { note: `wait for the ${name}` });
  if (failure === undefined) {
    p.check(`could the ${name} be run?`);
    p.expect(status, { errno: "ECANCELED", note: `run the ${name}, ${hook.path}, to a good end` });
  } else {
    p.copy(status, failure.into, "note how it ended");
    const well = p.label();
    const judged = p.label();
    p.expect(status, { errno: "ECANCELED", note: `did the ${name} end well?`, tolerate: "all", orElse: judged });
    p.jump(well, "it did");
    p.place(judged);
    p.jump(failure.orElse, "it did not");
    p.place(well);
  }
  p.call("close", [child.pidfd], { note: "the hook has gone" });
}

/** Whoever has not ended by then is killed. */
function limitTime(p: Program, pidfd: Slot, milliseconds: number): void {
  // struct pollfd { int fd; short events, revents }: POLLIN is 1
  const polled = p.words([1n << 32n], "{ pidfd, POLLIN }");
  p.copy32(pidfd, polled, "watch the hook");
  const time = p.words([Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1_000_000], `{ ${milliseconds} ms }`);
  p.call("ppoll", [polled, 1, time, 0, 8], { note: `give it ${milliseconds} ms` });
  p.call("pidfd_send_signal", [pidfd, named(SIGKILL, "SIGKILL"), 0, 0], {
    note: "kill it if it has not ended",
    tolerate: ["ESRCH"],
  });
}
