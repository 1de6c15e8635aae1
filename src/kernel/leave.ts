import { join } from "node:path";
import { isExecutable } from "./executable.ts";

const helper = join(import.meta.dirname, "../../native/build/executor");

/**
 * Ends this process with a status (0 to 255), as `process.exit` does: those who listen for "exit" are told, nothing waits for
 * what is under way. But `process.exit` may never return: it joins V8's compiler threads while one of them waits for the
 * main thread to make room in the heap (nodejs/node#54918; one `sampan load` in fifty did not end). execve(2) ends all
 * threads in the kernel, and what is executed then, the helper, does nothing but end. A terminal in raw mode is the
 * caller's to give back, by listening for "exit".
 */
export function leave(status: number): never {
  process.emit("exit", status);
  process.removeAllListeners("exit");
  try {
    // Node 24 does not throw where execve(2) fails, but aborts
    if (!writesAtExit() && isExecutable(helper)) process.execve?.(helper, ["executor", "leave", `${status}`], {});
  } finally {
    process.exit(status);
  }
}

/** Profiles and coverage are written by Node when it exits. */
function writesAtExit(): boolean {
  const { NODE_OPTIONS = "", NODE_V8_COVERAGE } = process.env;
  return NODE_V8_COVERAGE !== undefined || /--(cpu|heap)-prof/.test([NODE_OPTIONS, ...process.execArgv].join(" "));
}
