import { messageOf } from "../../errors/index.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import { nowNs, rfc3339 } from "../time.ts";
import type { HealthResult, HealthStatus } from "../types.ts";
import { type Look, lookAt } from "./look.ts";
import { type Probe, probeOf } from "./probe.ts";

/** Results that `inspect` shows. */
const remembered = 5;

/**
 * Probes a running container's health again and again, each probe some time after the last has ended. Life: begun with the
 * container → its state's `health` changes with the results → stopped with the container, or while it is paused.
 */
export class HealthMonitor {
  readonly #parts: EngineParts;
  readonly #container: Container;
  readonly #probe: Probe;
  #cancel: () => void = () => {};
  #stopped = false;
  #acting = false;

  private constructor(parts: EngineParts, container: Container, probe: Probe) {
    this.#parts = parts;
    this.#container = container;
    this.#probe = probe;
    this.#schedule(this.#sinceLast());
  }

  /** Of a container that runs; undefined where nothing is to be probed. */
  static begin(parts: EngineParts, container: Container): HealthMonitor | undefined {
    if (container.record.config.Healthcheck === undefined || container.state.status !== "running") return undefined;
    const probe = probeOf(container.record.config);
    return probe && new HealthMonitor(parts, container, probe);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(elapsed = 0): void {
    const delay = Math.max(0, this.#delay() - elapsed);
    this.#cancel = this.#parts.health.scheduler.after(delay, () => {
      this.#check().catch((error) => {
        this.#parts.log.error({ error, container: this.#container.id }, "a health check was not noted");
        if (!this.#stopped) this.#schedule();
      });
    });
  }

  /** Milliseconds since the last result of this life: a daemon that takes over goes on where the last one was. */
  #sinceLast(): number {
    const last = Date.parse(this.#container.healthLog.at(-1)?.end ?? "");
    const startedAt = Number(this.#container.state.startedAt / 1_000_000n);
    return Number.isNaN(last) || last < startedAt ? 0 : Math.max(0, Date.now() - last);
  }

  #delay(): number {
    const { interval, startInterval } = this.#probe;
    return this.#isStarting(nowNs()) ? startInterval : interval;
  }

  /** Whether it has never been well, and may take its time. */
  #isStarting(now: bigint): boolean {
    const { startedAt, health } = this.#container.state;
    return health?.status === "starting" && Number(now - startedAt) / 1e6 < this.#probe.startPeriod;
  }

  async #check(): Promise<void> {
    const start = nowNs();
    const look = await lookAt(this.#parts, this.#container, this.#probe);
    if (this.#stopped) return;
    this.#remember({ start: rfc3339(start), end: rfc3339(nowNs()), ...look });
    this.#judge(look, start);
    const { healthLog, state, id } = this.#container;
    this.#parts.health.records.note(id, { failingStreak: state.health?.failingStreak ?? 0, log: healthLog });
    this.#schedule();
    this.#actIfUnhealthy();
  }

  #remember(result: HealthResult): void {
    this.#container.healthLog = [...this.#container.healthLog.slice(1 - remembered), result];
  }

  #judge({ exitCode }: Look, startedAt: bigint): void {
    const { status = "starting", failingStreak = 0 } = this.#container.state.health ?? {};
    if (exitCode === 0) {
      this.#set(status, { status: "healthy", failingStreak: 0 });
    } else if (!this.#isStarting(startedAt)) {
      const streak = failingStreak + 1;
      this.#set(status, { status: streak >= this.#probe.retries ? "unhealthy" : status, failingStreak: streak });
    }
  }

  /** Written down at once when the status changes: how long a streak is, is not worth a write of its own. */
  #set(before: HealthStatus, health: { readonly status: HealthStatus; readonly failingStreak: number }): void {
    const container = this.#container;
    container.state = { ...container.state, health };
    if (before === health.status) return;
    this.#parts.registry.writeState(container);
    containerEvent(this.#parts.events, container, `health_status: ${health.status}`);
  }

  #actIfUnhealthy(): void {
    const { onFailure } = this.#probe;
    const container = this.#container;
    if (onFailure === undefined || this.#acting || container.state.health?.status !== "unhealthy") return;
    // A stopped container's last probe says nothing, and one that was paused has yet to be probed again.
    if ((container.healthLog.at(-1)?.exitCode ?? 0) === 0) return;
    this.#acting = true;
    this.#parts.health
      .act(container, onFailure)
      .catch((error) => {
        if (container.removed) return;
        const what = `an unhealthy container was not made to ${onFailure}`;
        this.#parts.log.warn({ container: container.id }, `${what}: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#acting = false;
      });
  }
}
