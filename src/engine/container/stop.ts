import { setTimeout } from "node:timers/promises";
import { SampanError } from "../../errors/index.ts";
import { parseSignal, signals } from "../../kernel/signals.ts";
import type { Running } from "../../runtime/types.ts";
import type { EngineParts } from "../parts.ts";
import type { StopOptions } from "../types.ts";
import { containerEvent } from "./events.ts";
import type { Container } from "./live.ts";
import { thawForEnd } from "./pause.ts";

const defaultTimeout = 10;
/** Seconds: a process that does not go at SIGKILL hangs in the kernel. */
const killTimeout = 10;

/** Asks the process to end, and after the timeout makes it. */
export async function stopRunning(
  parts: EngineParts,
  container: Container,
  running: Running,
  options: StopOptions,
): Promise<void> {
  const { StopSignal, StopTimeout } = container.record.config;
  const signal = parseSignal(options.signal || StopSignal || "SIGTERM");
  const timeout = options.timeout ?? StopTimeout ?? defaultTimeout;
  noteStopped(parts, container);
  send(parts, container, running, signal);
  if (await endsWithin(container, running, timeout)) return;
  await killRunning(parts, container, running);
}

/** SIGKILL, and waits for the end. */
export async function killRunning(parts: EngineParts, container: Container, running: Running): Promise<void> {
  noteStopped(parts, container);
  send(parts, container, running, signals.SIGKILL);
  if (await endsWithin(container, running, killTimeout)) return;
  const what = `process ${running.pid} has not ended ${killTimeout} seconds after SIGKILL: it waits in the kernel`;
  throw new SampanError("timeout", `cannot stop container: ${container.id}: ${what}`);
}

/** Sends a signal; for one that is meant to end the container, its restart policy stays quiet, and it is not left paused. */
export function send(parts: EngineParts, container: Container, running: Running, signal: number): void {
  const { StopSignal } = container.record.config;
  if (signal === signals.SIGKILL || signal === parseSignal(StopSignal || "SIGTERM")) noteStopped(parts, container);
  running.signal(signal);
  containerEvent(parts.events, container, "kill", { signal: String(signal) });
  // dockerd resumes for whatever signal is sent to a container that does not say which is to stop it.
  const wakes = signal === signals.SIGKILL || !StopSignal || signal === parseSignal(StopSignal);
  if (wakes && container.state.status === "paused") thawForEnd(parts, container);
}

/** Its policy shall not bring it back, not even one that the next daemon looks at: written down where there is one. */
function noteStopped({ registry }: EngineParts, container: Container): void {
  if (container.state.stopped) return;
  container.state = { ...container.state, stopped: true };
  if (container.record.hostConfig.RestartPolicy.Name !== "no") registry.writeState(container);
}

/** Whether it has ended, and that is noted, before the time is up. */
async function endsWithin(container: Container, running: Running, seconds: number): Promise<boolean> {
  const ended = (container.ended ?? running.exited).then(() => true);
  if (seconds < 0) return ended;
  const timer = new AbortController();
  const late = setTimeout(seconds * 1000, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([ended, late]);
  } finally {
    timer.abort();
  }
}
