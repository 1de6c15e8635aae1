import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { messageOf } from "../errors/index.ts";
import { endBuildStep } from "./builds/host.ts";
import { ContainerFiles, unlinkIfThere } from "./container/files.ts";
import { Container } from "./container/live.ts";
import { sharedContainer } from "./container/modes.ts";
import { agreeWithFreezer } from "./container/pause.ts";
import { remainingDelay, startsWithDaemon } from "./container/restart-policy.ts";
import { cgroupPathOf } from "./container/spec.ts";
import type { EngineContainers } from "./containers.ts";
import type { HealthRecord } from "./health/records.ts";
import { resumeCommitted } from "./images/commit.ts";
import { sandboxRequest } from "./networks/sandbox.ts";
import { holdAddresses } from "./networks/static-addresses.ts";
import type { EngineParts } from "./parts.ts";
import type { ContainerRecord, RecordedState } from "./records/record.ts";
import type { ContainerTable } from "./records/store.ts";
import { nowNs } from "./time.ts";
import { recoverVolumes } from "./volumes/use.ts";

/**
 * Puts a daemon that has just started into the picture: containers that run are taken over through their monitors,
 * those that have ended meanwhile get their exit codes, and what a crash has left half-made is swept.
 */
export async function recover(parts: EngineParts, table: ContainerTable, containers: EngineContainers): Promise<void> {
  const { layout, registry } = parts;
  for (const directory of [layout.containers, join(layout.run, "monitors"), join(layout.run, "rootfs")]) {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  }
  const health = parts.health.records.all();
  for (const { record, state } of table.all()) {
    const container = new Container(
      record,
      withStreak(state, health.get(record.id)),
      new ContainerFiles(layout, record.id),
    );
    container.healthLog = health.get(record.id)?.log ?? [];
    if (!isWhole(parts, container)) {
      table.delete(record.id);
      continue;
    }
    registry.index(container);
    holdAddresses(parts.networking, record.endpoints);
  }
  const all = [...registry.all()];
  const sockets = readdirSync(join(layout.run, "monitors"));
  for (const container of all) await resumeCommitted(parts, container);
  await Promise.all(all.map((container) => takeOver(parts, container, containers)));
  await rejoin(parts, all);
  await recoverVolumes(parts);
  await sweep(parts, all, sockets);
  containers.recovered();
  for (const container of all.toSorted(oldestFirst)) {
    if (!container.isRunning) parts.shipping.begin(container, Promise.resolve());
    resume(parts, container, containers);
  }
}

/** Those that a container uses are older than it. */
function oldestFirst({ record: a }: Container, { record: b }: Container): number {
  return a.createdAt < b.createdAt ? -1 : 1;
}

/**
 * A loss of power has brought the record of one back that was being removed, or of one that was just being made it has kept
 * only that: there is no such container.
 */
function isWhole({ log }: EngineParts, { id, record, files, state }: Container): boolean {
  const directories = record.layers.includes("host") ? [""] : ["upper", "work"];
  if (directories.every((name) => existsSync(join(files.directory, name)))) return true;
  if (state.pid !== 0 && existsSync(files.monitor(state.starts, undefined).socket)) return true;
  log.warn({ container: id, name: record.name }, "a container has lost its files, its record goes, too");
  return false;
}

/** Streaks are written later than states: one that does not fit is that of another life. */
function withStreak(state: RecordedState, known: HealthRecord | undefined): RecordedState {
  if (state.health === undefined || known === undefined || state.health.status === "healthy") return state;
  const failingStreak = Math.max(state.health.failingStreak, known.failingStreak);
  return { ...state, health: { ...state.health, failingStreak } };
}

async function takeOver(parts: EngineParts, container: Container, containers: EngineContainers): Promise<void> {
  const { state, files, id } = container;
  if (state.status === "running" || state.status === "paused") {
    const running = await parts.runtime.reconnect({
      id,
      pid: state.pid,
      files: files.monitor(state.starts, undefined),
    });
    containers.watch(container, running);
    if (existsSync(`/proc/${state.pid}`)) agreeWithFreezer(parts, container);
  } else {
    await endUnknownLife(parts, container);
  }
}

/** Networks go on as they were for those that run; what the others had is free. */
async function rejoin(parts: EngineParts, all: readonly Container[]): Promise<void> {
  await setImmediate(); // those that have ended while nobody looked have told so by now
  const joined = all.filter(({ record, running }) => {
    return running !== undefined && sharedContainer(record.hostConfig.NetworkMode) === undefined;
  });
  const known = joined.map(({ record, state, running }) => ({
    request: sandboxRequest(parts, withNetworksOf(parts, record)),
    pid: running?.pid ?? 0,
    endpoints: state.network?.endpoints ?? [],
    ports: state.network?.ports ?? [],
    reservedApart: state.network?.reservedApart,
  }));
  const sandboxes = await parts.networking.recover(known);
  for (const [index, container] of joined.entries()) {
    if (container.isRunning) container.sandbox = sandboxes[index];
    else await sandboxes[index]?.release();
  }
}

/** Without networks that are gone: they cannot be, as long as a container runs on them, but for a crash. */
function withNetworksOf({ networking }: EngineParts, record: ContainerRecord): ContainerRecord {
  const there = Object.entries(record.endpoints).filter(([name]) => networking.find(name) !== undefined);
  return { ...record, endpoints: Object.fromEntries(there) };
}

/** A start whose daemon died before it could write it down, or tell anybody: it never happened. */
async function endUnknownLife(parts: EngineParts, container: Container): Promise<void> {
  const starts = container.state.starts + 1;
  const unknown = container.files.monitor(starts, undefined);
  if (!existsSync(unknown.socket) && !existsSync(unknown.exitFile)) return;
  const path = cgroupPathOf(parts, container.record);
  try {
    await parts.cgroups.kill(path);
    await parts.runtime.sweep(path);
  } catch (error) {
    parts.log.warn({ container: container.id }, `a half-made start was not ended: ${messageOf(error)}`);
  }
  container.state = { ...container.state, starts };
  parts.registry.writeState(container);
}

/**
 * Removes directories, cgroups and those of the sockets found that are of nobody. Some of the containers here may be leaving
 * by themselves.
 */
async function sweep(parts: EngineParts, here: readonly Container[], sockets: readonly string[]): Promise<void> {
  const { layout, snapshots, cgroups, log } = parts;
  const ids = new Set(here.map(({ id }) => id));
  for (const name of readdirSync(layout.containers)) {
    if (ids.has(name)) continue;
    try {
      const files = new ContainerFiles(layout, name);
      await endBuildStep(parts, files);
      await snapshots.remove(name);
      files.remove();
    } catch (error) {
      log.warn({ container: name }, `files of a container that is gone were not removed: ${messageOf(error)}`);
    }
  }
  const running = here.filter(({ isRunning }) => isRunning);
  // Nobody knows the execs of an earlier daemon any more.
  const live = new Set(running.map(({ files, state }) => files.monitor(state.starts, undefined).socket));
  for (const path of sockets.map((name) => join(layout.run, "monitors", name))) {
    if (!live.has(path)) unlinkIfThere(path);
  }
  cgroups.sweep(new Set(running.map(({ record }) => cgroups.pathOf(record.id))));
}

/** Completes what a container's host config wants: removal after its end, or another start. */
function resume(parts: EngineParts, container: Container, containers: EngineContainers): void {
  const { state, record } = container;
  if (container.isRunning || container.removed) return;
  const { AutoRemove, RestartPolicy } = record.hostConfig;
  if (AutoRemove && state.status !== "created") {
    containers.autoRemove(container).catch((error) => {
      parts.log.error({ error, container: container.id }, "a container that should remove itself is left");
    });
  } else if (startsWithDaemon(RestartPolicy, state)) {
    containers.restartLater(container, remainingDelay(state, nowNs()), { counts: false });
  } else if (state.status === "restarting") {
    container.state = { ...state, status: "exited" };
    parts.registry.writeState(container);
  }
}
