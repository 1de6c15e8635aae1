import type { Socket } from "node:net";
import type { Slot } from "../../kernel/block.ts";
import { openSocket } from "../../kernel/connection.ts";
import { signals } from "../../kernel/signals.ts";
import { control } from "../../kernel/wire.ts";
import type { Worker } from "../../kernel/worker.ts";
import { message } from "../../runtime/monitor-message.ts";
import { acknowledged } from "../../runtime/running.ts";

/** A process that this one waits for. */
export interface Waited {
  readonly pid: number;
  readonly worker: Worker;
  readonly terminalSocket: string | undefined;
  /** Where the program's results have its wait status. */
  readonly status: Slot;
}

/** Signals that are not this process's to act on: they are the container's. */
const forwarded = Object.keys(signals).filter(
  (name) =>
    ![
      "SIGKILL",
      "SIGSTOP",
      "SIGCHLD",
      "SIGURG",
      "SIGPROF",
      "SIGWINCH",
      "SIGSEGV",
      "SIGBUS",
      "SIGFPE",
      "SIGILL",
    ].includes(name),
) as NodeJS.Signals[];

/** Passes signals and the terminal on until the process ends; answers its exit status, 128 + n where signal n ended it. */
export async function waitInForeground({ pid, worker, terminalSocket, status: slot }: Waited): Promise<number> {
  const pass = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {} // it has just ended
  };
  for (const signal of forwarded) tryOn(signal, () => pass(signal));
  const terminal = terminalSocket === undefined ? undefined : await serveTerminal(worker, terminalSocket);
  const status =
    terminal === undefined ? (await worker.next()).value(slot) : Number((await worker.announced()).readBigInt64LE(0));
  await terminal?.finish();
  await worker.end();
  return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

/** Some signals cannot be listened to on some machines. */
function tryOn(signal: NodeJS.Signals, listener: () => void): void {
  try {
    process.on(signal, listener);
  } catch {}
}

/**
 * Connects this process's terminal with the one that the worker serves; `finish` gives it back as it was. Input has a
 * connection of its own: one that fails because the container has ended must not take the last output along.
 */
async function serveTerminal(worker: Worker, path: string): Promise<{ finish: () => Promise<void> }> {
  const [input, output] = [await attach(path, streamMask.input), await attach(path, streamMask.output)];
  const { stdin, stdout } = process;
  const tell = (bytes: Buffer) => worker.connection.socket.write(bytes);
  const resize = () => tell(message(control.resize, { b: stdout.rows, c: stdout.columns }));
  if (stdout.isTTY) {
    resize();
    process.on("SIGWINCH", resize);
  }
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.pipe(input);
  const ended = new Promise<void>((resolve) => output.once("close", () => resolve()));
  output.on("data", (chunk: Buffer) => stdout.write(chunk));
  output.once("end", () => output.end());
  output.resume();
  tell(message(control.release));
  return {
    finish: async () => {
      await ended;
      input.destroy();
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.destroy();
    },
  };
}

const streamMask = { input: 1, output: 6 } as const;

async function attach(path: string, mask: number): Promise<Socket> {
  const socket = await openSocket(path);
  socket.write(message(control.attach, { a: mask }));
  await acknowledged(socket);
  return socket;
}
