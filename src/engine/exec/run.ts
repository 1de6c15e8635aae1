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

/** What it says, as much as there is room for; the process never waits for us. Never rejects. */
async function collect(running: Running, room: number): Promise<string> {
  let monitor: Socket;
  try {
    monitor = await running.attach({ stdin: false, stdout: true, stderr: true });
  } catch {
    return ""; // it has ended without a word
  } finally {
    running.release();
  }
  const output = new FramedOutput(room);
  try {
    for await (const chunk of monitor) output.take(chunk as Buffer);
  } catch {
    // Its monitor was killed; what it has said until then is what it has said.
  }
  return output.text();
}

/** The payload of frames, as much as there is room for. */
class FramedOutput {
  readonly #room: number;
  #pending = Buffer.alloc(0);
  #said = Buffer.alloc(0);

  constructor(room: number) {
    this.#room = room;
  }

  take(chunk: Buffer): void {
    let rest = Buffer.concat([this.#pending, chunk]);
    for (let size = frameSize(rest); size !== undefined && rest.length >= size; size = frameSize(rest)) {
      if (this.#said.length <= this.#room) this.#said = Buffer.concat([this.#said, rest.subarray(8, size)]);
      rest = rest.subarray(size);
    }
    this.#pending = rest;
  }

  text(): string {
    return this.#said.length > this.#room ? `${this.#said.subarray(0, this.#room)}...` : String(this.#said);
  }
}

/** Of the frame that begins here, its header included. */
function frameSize(bytes: Buffer): number | undefined {
  return bytes.length < 8 ? undefined : 8 + bytes.readUInt32BE(4);
}
