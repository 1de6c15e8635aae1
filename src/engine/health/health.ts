import { messageOf } from "../../errors/index.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { runInside } from "../exec/run.ts";
import type { EngineParts } from "../parts.ts";
import type { HealthResult, HealthStatus } from "../types.ts";
import { type Probe, probeOf } from "./probe.ts";

/** Results that `inspect` shows. */
const remembered = 5;
/** Bytes of a probe's output that are kept. */
const room = 4096;

/**
 * Probes a running container's health: a command in it, again and again, each some time after the last has ended. Life:
 * begun with the container → its state's `health` changes with the results → stopped with the container.
 */
export class HealthMonitor {
  readonly #parts: EngineParts;
  readonly #container: Container;
  readonly #probe: Probe;
  readonly #log: HealthResult[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(parts: EngineParts, container: Container, probe: Probe) {
    this.#parts = parts;
    this.#container = container;
    this.#probe = probe;
    this.#schedule();
  }

  /** Of a container that runs; undefined where nothing is to be probed. */
  static begin(parts: EngineParts, container: Container): HealthMonitor | undefined {
    const probe = probeOf(container.record.config);
    return probe && new HealthMonitor(parts, container, probe);
  }

  /** The last results, oldest first. */
  get log(): readonly HealthResult[] {
    return this.#log;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#check(), this.#delay());
    this.#timer.unref();
  }

  #delay(): number {
    const { interval, startInterval } = this.#probe;
    return this.#isStarting(Date.now()) ? startInterval : interval;
  }

  /** Whether it has never been well, and may take its time. */
  #isStarting(now: number): boolean {
    const { startedAt, health } = this.#container.state;
    const sinceStart = now - Number(startedAt / 1_000_000n);
    return health?.status === "starting" && sinceStart < this.#probe.startPeriod;
  }

  async #check(): Promise<void> {
    const start = new Date();
    const { exitCode, output } = await this.#run();
    if (this.#stopped) return;
    this.#log.push({ start: start.toISOString(), end: new Date().toISOString(), exitCode, output });
    if (this.#log.length > remembered) this.#log.shift();
    this.#judge(exitCode, start.getTime());
    this.#schedule();
  }

  async #run(): Promise<{ exitCode: number; output: string }> {
    const { command: cmd, timeout } = this.#probe;
    try {
      const { exitCode, output } = await runInside(this.#parts, this.#container, { cmd }, { timeout, room });
      if (exitCode !== undefined) return { exitCode, output };
      const late = `Health check exceeded timeout (${timeout / 1000}s)`;
      return { exitCode: -1, output: output === "" ? late : `${late}: ${output}` };
    } catch (error) {
      return { exitCode: -1, output: messageOf(error) };
    }
  }

  #judge(exitCode: number, startedAt: number): void {
    const { status = "starting", failingStreak = 0 } = this.#container.state.health ?? {};
    if (exitCode === 0) {
      this.#set(status, { status: "healthy", failingStreak: 0 });
    } else if (!this.#isStarting(startedAt)) {
      const streak = failingStreak + 1;
      this.#set(status, { status: streak >= this.#probe.retries ? "unhealthy" : status, failingStreak: streak });
    }
  }

  /** Written down when the status changes: how long a streak is, is not worth a write. */
  #set(before: HealthStatus, health: { readonly status: HealthStatus; readonly failingStreak: number }): void {
    const container = this.#container;
    container.state = { ...container.state, health };
    if (before === health.status) return;
    this.#parts.registry.writeState(container);
    containerEvent(this.#parts.events, container, `health_status: ${health.status}`);
  }
}
