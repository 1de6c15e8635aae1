import { setImmediate } from "node:timers/promises";
import { messageOf, SampanError } from "../errors/index.ts";
import { parseSignal, signals } from "../kernel/signals.ts";
import type { Exit, Running } from "../runtime/types.ts";
import type { CreateRequest, HostConfigRequest } from "./config.ts";
import { attachContainer } from "./container/attach.ts";
import { createContainer } from "./container/create.ts";
import { Departures } from "./container/departures.ts";
import { containerEvent } from "./container/events.ts";
import { endWithMonitor, noteExit } from "./container/exit.ts";
import { listContainers } from "./container/list.ts";
import type { Container } from "./container/live.ts";
import { readContainerLog } from "./container/logs.ts";
import { neededContainers } from "./container/needs.ts";
import { pauseContainer, unpauseContainer } from "./container/pause.ts";
import { PendingStart } from "./container/pending-start.ts";
import { pruneContainers } from "./container/prune.ts";
import { removeContainer } from "./container/remove.ts";
import { restartDelay } from "./container/restart-policy.ts";
import { startContainer } from "./container/start.ts";
import { killRunning, send, stopRunning } from "./container/stop.ts";
import { checkUpdate, updateContainer } from "./container/update.ts";
import { viewOf } from "./container/view.ts";
import { readEgress } from "./egress/read.ts";
import { HealthMonitor } from "./health/health.ts";
import type { FailureAction } from "./health/probe.ts";
import { parseName } from "./identity/names.ts";
import { closeLinking } from "./networks/relink.ts";
import { closeSandbox, renameEndpoints } from "./networks/sandbox.ts";
import type { EngineParts } from "./parts.ts";
import { topContainer } from "./top/top.ts";
import type {
  Attachment,
  AttachOptions,
  ContainerSize,
  Containers,
  ContainerView,
  CreateResult,
  EgressRecord,
  ListOptions,
  LogOptions,
  LogReading,
  ProcessTable,
  PrunedContainers,
  RemoveContainerOptions,
  StopOptions,
  TerminalSize,
  WaitCondition,
  WaitResult,
} from "./types.ts";

/** The containers of this daemon: finds the one that is meant, sees that its state allows the action, and acts. */
export class EngineContainers implements Containers {
  readonly #parts: EngineParts;
  readonly #departures = new Departures();
  #closed = false;
  #recovered = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    parts.health.act = (container, action) => this.#actOnFailure(container, action);
  }

  create(request: CreateRequest): Promise<CreateResult> {
    return createContainer(this.#parts, request);
  }

  start(reference: string, options: { readonly consoleSize?: TerminalSize | undefined } = {}): Promise<void> {
    const container = this.#find(reference);
    return container.lock.run(async () => {
      this.#mustBeHere(container, reference);
      if (container.state.status === "paused") {
        throw new SampanError("conflict", "cannot start a paused container, try unpause instead");
      }
      if (container.isLive) {
        throw new SampanError("not-modified", `Container ${container.id} is already running`);
      }
      container.pendingStart?.cancel();
      await this.#start(container, { size: options.consoleSize, restarts: 0 });
    });
  }

  get(reference: string): ContainerView {
    return viewOf(this.#parts, this.#find(reference));
  }

  list(options: ListOptions = {}): ContainerView[] {
    const now = Date.now();
    return listContainers(this.#parts, options).map((container) => viewOf(this.#parts, container, now));
  }

  async sizes(reference: string): Promise<ContainerSize> {
    const { id, record } = this.#find(reference);
    const image = this.#parts.images.list().find((candidate) => candidate.id === record.imageId);
    const rw = await this.#parts.snapshots.usage(id);
    return { rw, rootFs: rw + (image?.size ?? 0) };
  }

  wait(
    reference: string,
    options: { readonly condition?: WaitCondition | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): { readonly result: Promise<WaitResult> } {
    const departed = this.#departures.of(reference);
    if (departed !== undefined) return { result: Promise.resolve(departed) };
    const container = this.#find(reference);
    if (options.condition === "removed") return { result: container.removal(options.signal) };
    const { exitCode, status } = container.state;
    const ended = !container.isRunning && status !== "restarting";
    if (options.condition !== "next-exit" && ended) return { result: Promise.resolve({ exitCode }) };
    return { result: container.nextExit(options.signal) };
  }

  attach(reference: string, options: AttachOptions): Attachment {
    return attachContainer(this.#parts, this.#find(reference), options);
  }

  logs(reference: string, options: LogOptions): LogReading {
    return readContainerLog(this.#find(reference), options);
  }

  egress(
    reference: string,
    options: { readonly follow?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<EgressRecord> {
    return readEgress(this.#parts.egress, this.#find(reference), options);
  }

  async stop(reference: string, options: StopOptions = {}): Promise<void> {
    const container = this.#find(reference);
    if (options.signal) parseSignal(options.signal);
    if (this.#giveUpRestarting(container)) return;
    const { running } = container;
    if (running === undefined) {
      throw new SampanError("not-modified", `Container ${container.id} is already stopped`);
    }
    await stopRunning(this.#parts, container, running, options);
    containerEvent(this.#parts.events, container, "stop");
  }

  async restart(reference: string, options: StopOptions = {}): Promise<void> {
    const container = this.#find(reference);
    const { running } = container;
    container.beingRestarted = true;
    try {
      if (running !== undefined) {
        await stopRunning(this.#parts, container, running, options);
        containerEvent(this.#parts.events, container, "stop");
      }
    } finally {
      container.beingRestarted = false;
    }
    await container.lock.run(async () => {
      this.#mustBeHere(container, reference);
      container.pendingStart?.cancel();
      if (!container.isRunning) await this.#start(container, { restarts: 0 });
    });
    containerEvent(this.#parts.events, container, "restart");
  }

  async kill(reference: string, signal = "SIGKILL"): Promise<void> {
    const container = this.#find(reference);
    const number = parseSignal(signal || "SIGKILL");
    if (this.#giveUpRestarting(container)) return;
    const { running } = container;
    if (running === undefined) {
      const why = `container ${container.id} is not running`;
      throw new SampanError("conflict", `cannot kill container: ${reference}: ${why}`);
    }
    if (number === signals.SIGKILL) await killRunning(this.#parts, container, running);
    else send(this.#parts, container, running, number);
  }

  async resize(reference: string, { rows, columns }: TerminalSize): Promise<void> {
    const container = this.#find(reference);
    this.#running(container).resize(rows, columns);
    containerEvent(this.#parts.events, container, "resize", { height: String(rows), width: String(columns) });
  }

  rename(reference: string, name: string): void {
    const container = this.#find(reference);
    const oldName = container.record.name;
    const newName = parseName(name);
    if (newName === oldName) {
      throw new SampanError("invalid", "Renaming a container with the same name as its current name");
    }
    using _reserved = this.#parts.registry.reserve(newName);
    this.#parts.registry.rename(container, newName);
    renameEndpoints(this.#parts, container);
    containerEvent(this.#parts.events, container, "rename", { oldName: `/${oldName}` });
  }

  pause(reference: string): Promise<void> {
    const container = this.#find(reference);
    return container.lock.run(() => pauseContainer(this.#parts, container));
  }

  unpause(reference: string): Promise<void> {
    const container = this.#find(reference);
    return container.lock.run(() => unpauseContainer(this.#parts, container));
  }

  async update(reference: string, changes: HostConfigRequest): Promise<{ readonly warnings: readonly string[] }> {
    checkUpdate(this.#parts, changes);
    const container = this.#find(reference);
    await container.lock.run(async () => {
      this.#mustBeHere(container, reference);
      updateContainer(this.#parts, container, changes);
    });
    return { warnings: [] };
  }

  top(reference: string, psArguments: string): ProcessTable {
    return topContainer(this.#parts, this.#find(reference), psArguments || "-ef");
  }

  async remove(reference: string, options: RemoveContainerOptions = {}): Promise<void> {
    const container = this.#find(reference);
    const { running } = container;
    if (!options.force && container.isLive) throw mayNotBeRemoved(reference, container);
    if (running !== undefined) await killRunning(this.#parts, container, running);
    this.#giveUpRestarting(container);
    await container.lock.run(async () => {
      if (container.removed) return;
      // Somebody else may have restarted it meanwhile.
      if (container.running !== undefined && options.force) {
        await killRunning(this.#parts, container, container.running);
      }
      if (container.isLive) throw mayNotBeRemoved(reference, container);
      await removeContainer(this.#parts, container, { volumes: options.volumes ?? false });
    });
  }

  prune(wanted: (container: ContainerView) => boolean): Promise<PrunedContainers> {
    return pruneContainers(this, this.#parts.events, wanted);
  }

  /** Waits for a process's end, and then does what its container wants: be removed, be started again, or nothing. */
  watch(container: Container, running: Running): void {
    container.running = running;
    container.health = HealthMonitor.begin(this.#parts, container);
    this.#parts.shipping.begin(container, running.exited);
    const ended = running.exited.then((exit) => this.#end(container, running, exit));
    container.ended = ended.then(
      () => {},
      () => {},
    );
    ended
      .then((noted) => (noted ? this.#afterExit(container) : undefined))
      .catch((error) =>
        this.#parts.log.error({ error, container: container.id }, "a container's end was not completed"),
      );
  }

  /** Whether the end was noted: it is not when the daemon is leaving. */
  async #end(container: Container, running: Running, exit: Exit): Promise<boolean> {
    if (exit.monitorKilled && !this.#closed) await endWithMonitor(this.#parts, container);
    // What it has written lies in the sockets already: whoever waits for its end is sent all of that before.
    if (container.attached > 0) await setImmediate();
    if (this.#closed || container.running !== running) return false;
    const closing = closeLinking(this.#parts, container);
    if (closing !== undefined) await closing;
    const released = closeSandbox(this.#parts, container);
    if (released !== undefined) await released;
    noteExit(this.#parts, container, exit);
    return true;
  }

  /** Removes it by itself, or starts it again after a while, as its host config says. */
  async #afterExit(container: Container): Promise<void> {
    if (container.beingRestarted) return;
    if (container.record.hostConfig.AutoRemove) return this.autoRemove(container);
    const delay = restartDelay(container.record.hostConfig.RestartPolicy, container.state);
    if (delay !== undefined) this.restartLater(container, delay, { counts: true });
  }

  async autoRemove(container: Container): Promise<void> {
    await container.lock.run(async () => {
      if (container.removed || container.isRunning) return;
      this.#departures.note(container.id, { exitCode: container.state.exitCode });
      await removeContainer(this.#parts, container, { volumes: true });
    });
  }

  /** Who is known now runs or not, and networks are theirs: those that are to be started again may be. */
  recovered(): void {
    this.#recovered = true;
  }

  /**
   * Starts it again after `delay` milliseconds, and after the containers that it uses; `counts`: by its policy, for its end.
   * Of one whose end an earlier daemon has missed it is only noted: it is started with all others.
   */
  restartLater(container: Container, delay: number, { counts }: { readonly counts: boolean }): void {
    const { state, record } = container;
    const restarts = state.restarts + (counts ? 1 : 0);
    container.state = { ...state, status: "restarting", restarts, ...(counts && { backOff: delay }) };
    try {
      this.#parts.registry.writeState(container);
    } catch (error) {
      this.#parts.log.error({ error, container: container.id }, "a restart that is to come is not written down");
    }
    if (!this.#recovered) return;
    const needs = neededContainers(record).flatMap((other) => this.#parts.registry.find(other)?.pendingStart ?? []);
    const start = () =>
      container.lock
        .run(async () => {
          if (container.removed || container.state.status !== "restarting" || this.#closed) return;
          await this.#start(container, { restarts });
        })
        .catch((error) => this.#restartFailed(container, error))
        .catch((error) =>
          this.#parts.log.error({ error, container: container.id }, "a failed restart was not written down"),
        );
    container.pendingStart = new PendingStart(delay, needs, start);
  }

  /** As dockerd, it is not tried again: what hinders a start is not the container's own failure. */
  #restartFailed(container: Container, error: unknown): void {
    this.#parts.log.warn({ container: container.id }, `restart failed: ${messageOf(error)}`);
    if (container.removed || container.state.status !== "restarting" || this.#closed) return;
    container.state = { ...container.state, status: "exited" };
    this.#parts.registry.writeState(container);
    container.tellExit();
  }

  close(): void {
    this.#closed = true;
    for (const container of this.#parts.registry.all()) {
      container.pendingStart?.cancel();
      container.running?.detach();
      container.health?.stop();
      container.cancelAttaches();
    }
  }

  async #start(
    container: Container,
    options: { readonly size?: TerminalSize | undefined; readonly restarts: number },
  ): Promise<void> {
    const watch = this.watch.bind(this);
    try {
      await startContainer({ parts: this.#parts, watch }, container, options);
    } catch (error) {
      const { AutoRemove } = container.record.hostConfig;
      if (AutoRemove) await removeContainer(this.#parts, container, { volumes: true });
      throw error;
    }
  }

  async #actOnFailure(container: Container, action: FailureAction): Promise<void> {
    const { id, running } = container;
    if (running === undefined) return;
    if (action === "restart") return this.restart(id);
    if (action === "stop") return this.stop(id);
    // Nobody asked for its end: its restart policy decides what comes then.
    running.signal(signals.SIGKILL);
    containerEvent(this.#parts.events, container, "kill", { signal: String(signals.SIGKILL) });
  }

  /** A container between two lives is stopped by not beginning the next. */
  #giveUpRestarting(container: Container): boolean {
    if (container.state.status !== "restarting") return false;
    container.pendingStart?.cancel();
    container.state = { ...container.state, status: "exited", stopped: true };
    this.#parts.registry.writeState(container);
    container.tellExit();
    return true;
  }

  #find(reference: string): Container {
    return this.#parts.registry.get(reference);
  }

  #mustBeHere(container: Container, reference: string): void {
    if (container.removed) throw new SampanError("not-found", `No such container: ${reference}`);
  }

  #running(container: Container): Running {
    if (container.running !== undefined) return container.running;
    throw new SampanError("conflict", `container ${container.id} is not running`);
  }
}

function mayNotBeRemoved(reference: string, { state: { status } }: Container): SampanError {
  const help =
    status === "paused" ? " and must be unpaused first" : ": stop the container before removing or force remove";
  return new SampanError("conflict", `cannot remove container "${reference}": container is ${status}${help}`);
}
