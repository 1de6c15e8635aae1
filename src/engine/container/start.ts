import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { signals } from "../../kernel/signals.ts";
import type { Sandbox } from "../../network/networking.ts";
import { ExecuteError } from "../../runtime/execute-error.ts";
import type { Running } from "../../runtime/types.ts";
import { probeOf } from "../health/probe.ts";
import { logLimits } from "../logs/options.ts";
import { endpointEvents } from "../networks/events.ts";
import { tellLinking } from "../networks/relink.ts";
import { openSandbox, recordedNetwork } from "../networks/sandbox.ts";
import type { EngineParts } from "../parts.ts";
import { nowNs } from "../time.ts";
import type { TerminalSize } from "../types.ts";
import { enterVolumes, leaveVolumes, volumeEvents } from "../volumes/use.ts";
import { containerEvent } from "./events.ts";
import { unlinkIfThere } from "./files.ts";
import type { Container } from "./live.ts";
import { withRoomToMount } from "./room-to-mount.ts";
import { cgroupPathOf, containerSpec } from "./spec.ts";

/** Milliseconds for a monitor to leave: it needs one or two, and as long as the disk where it has to write much first. */
const patience = 30_000;

export interface StartContext {
  readonly parts: EngineParts;
  /** Takes over a process that runs: waits for its end. */
  watch(container: Container, running: Running): void;
}

/** Starts a container that does not run. What went wrong is in its record, too; the caller holds the container's lock. */
export async function startContainer(
  context: StartContext,
  container: Container,
  options: { readonly size?: TerminalSize | undefined; readonly restarts: number },
): Promise<void> {
  const { parts } = context;
  if (container.state.starts > 0) await clearLastLife(parts, container, cgroupPathOf(parts, container.record));
  const startedAt = nowNs(); // now: its end may be sooner than the news of its start
  let running: Running;
  try {
    running = await launch(context, container, options.size);
  } catch (error) {
    failed(parts, container, error);
    throw asStartError(error);
  }
  container.running = running;
  const { sandbox } = container;
  sandbox?.started();
  container.state = {
    ...container.state,
    status: "running",
    pid: running.pid,
    exitCode: 0,
    oomKilled: false,
    error: "",
    startedAt,
    starts: container.state.starts + 1,
    restarts: options.restarts,
    stopped: false,
    network: sandbox && recordedNetwork(sandbox),
    health: probeOf(container.record.config) && { status: "starting", failingStreak: 0 },
  };
  context.watch(container, running);
  try {
    parts.registry.writeState(container);
  } catch (error) {
    running.signal(signals.SIGKILL);
    throw error;
  }
  volumeEvents(parts, container.record, "mount");
  if (sandbox !== undefined) endpointEvents(parts, container, "connect", sandbox.endpoints);
  containerEvent(parts.events, container, "start");
  await connectAttaches(container, running);
  if (sandbox !== undefined) await tellLinking(parts, container);
}

/**
 * How often a start is tried again because a port that nobody chose was some other process's (as often as dockerd does), or
 * because an address is just being given up.
 */
const attempts = 10;

async function launch(context: StartContext, container: Container, size: TerminalSize | undefined): Promise<Running> {
  const mounted = enterVolumes(context.parts, container.record);
  if (mounted !== undefined) await mounted;
  try {
    return await launchWithVolumes(context, container, size);
  } catch (error) {
    await leaveVolumes(context.parts, container.record);
    throw error;
  }
}

async function launchWithVolumes(
  context: StartContext,
  container: Container,
  size: TerminalSize | undefined,
): Promise<Running> {
  const sandbox = await sandboxFor(context.parts, container);
  for (let attempt = 1; ; attempt++) {
    try {
      const running = await execute(context, container, { size, sandbox });
      container.sandbox = sandbox;
      return running;
    } catch (error) {
      if (attempt < attempts && (await sandbox?.retry(error))) continue;
      const explained = sandbox ? sandbox.explain(error) : error;
      await sandbox?.release();
      throw explained;
    }
  }
}

async function execute(
  { parts }: StartContext,
  container: Container,
  options: { readonly size: TerminalSize | undefined; readonly sandbox: Sandbox | undefined },
): Promise<Running> {
  const { record, files, state } = container;
  const spec = await containerSpec(parts, container, options);
  container.user = spec.process.user;
  const start = () =>
    parts.runtime.start(spec, {
      files: files.monitor(state.starts + 1, logLimits(record.hostConfig.LogConfig)),
      hold: container.pendingAttaches.size > 0,
    });
  return withRoomToMount(parts, record, start);
}

/** No promise where nothing is to be waited for: a start is what users wait for. */
function sandboxFor(parts: EngineParts, { record }: Container): ReturnType<typeof openSandbox> {
  try {
    const opened = openSandbox(parts, record);
    return opened instanceof Promise ? opened.catch(refuse) : opened;
  } catch (error) {
    return refuse(error);
  }
}

/** What errors about a container's networks begin with: dockerd's words. */
const networkFailure = "failed to set up container networking";

function refuse(error: unknown): never {
  const text = messageOf(error);
  const message = text.startsWith(networkFailure) ? text : `${networkFailure}: ${text}`;
  throw new SampanError(kindOf(error), message, { cause: error });
}

/** The monitor of the last life may still be on its way out: it removes its socket after everything else it made. */
async function clearLastLife({ runtime }: EngineParts, { files, state }: Container, cgroup: string): Promise<void> {
  const last = files.monitor(state.starts, undefined);
  const deadline = Date.now() + patience;
  for (let wait = 1; existsSync(last.socket) && Date.now() < deadline; wait = Math.min(2 * wait, 100)) {
    await setTimeout(wait);
  }
  unlinkIfThere(last.socket);
  unlinkIfThere(last.exitFile);
  await runtime.sweep(cgroup);
}

async function connectAttaches(container: Container, running: Running): Promise<void> {
  const pending = [...container.pendingAttaches];
  container.pendingAttaches.clear();
  await Promise.all(pending.map((attach) => attach.begin(running)));
  running.release();
}

function failed({ registry }: EngineParts, container: Container, error: unknown): void {
  const exitCode = error instanceof ExecuteError ? error.exitCode : 128;
  container.state = { ...container.state, exitCode, error: asStartError(error).message };
  registry.writeState(container);
  container.cancelAttaches();
}

function asStartError(error: unknown): SampanError {
  const text = messageOf(error);
  const message = text.startsWith(networkFailure) ? text : `failed to create task for container: ${text}`;
  return new SampanError(kindOf(error), message, { cause: error });
}
