import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Slots } from "../../images/slots.ts";
import { signals } from "../../kernel/signals.ts";
import type { Running } from "../../runtime/types.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { newId } from "../identity/ids.ts";
import type { EngineParts } from "../parts.ts";
import type { ExecRequest } from "../types.ts";
import { beginExec } from "./begin.ts";
import { Exec } from "./exec.ts";

export interface RunLimits {
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
  /** Bytes of output that are kept. */
  readonly room: number;
  /** For the time its start takes. */
  readonly launches: Slots;
}

/**
 * Runs a command in a container to its end and answers what it said on both streams. The exit code is undefined when it had
 * to be killed. Rejects when it cannot be started.
 */
export async function runInside(
  parts: EngineParts,
  container: Container,
  request: ExecRequest,
  { timeout, room, launches }: RunLimits,
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
  const launched = await launches.take(new AbortController().signal);
  const exec = new Exec(newId(), container, { ...request, attachStdout: true, attachStderr: true }, new Uint8Array());
  containerEvent(parts.events, container, exec.action("exec_create"), { execID: exec.id });
  const running = await beginExec(parts, exec, { attached: true, size: undefined }).finally(launched);
  const output = collect(running, room);
  const timer = new AbortController();
  const late = setTimeout(timeout, true, { signal: timer.signal, ref: false }).catch(() => false);
  const inTime = await Promise.race([running.exited.then((exit) => exit), late]);
  timer.abort();
  if (typeof inTime === "object") return { exitCode: inTime.code, output: await output };
  running.signal(signals.SIGKILL);
  await running.exited;
  return { exitCode: undefined, output: await output };
}

/** The payload of Docker's frames, as much as there is room for; the process never waits for us. */
async function collect(running: Running, room: number): Promise<string> {
  let monitor: Socket;
  try {
    monitor = await running.attach({ stdin: false, stdout: true, stderr: true });
  } catch {
    return ""; // it has ended without a word
  } finally {
    running.release();
  }
  let pending = Buffer.alloc(0);
  let text = Buffer.alloc(0);
  for await (const chunk of monitor) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    for (let size = frameSize(pending); size !== undefined && pending.length >= size; size = frameSize(pending)) {
      if (text.length <= room) text = Buffer.concat([text, pending.subarray(8, size)]);
      pending = pending.subarray(size);
    }
  }
  return text.length > room ? `${text.subarray(0, room)}...` : String(text);
}

/** Of the frame that begins here, its header included. */
function frameSize(bytes: Buffer): number | undefined {
  return bytes.length < 8 ? undefined : 8 + bytes.readUInt32BE(4);
}
