import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../errors/index.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import type { Shipper } from "./ship/shipper.ts";

const shipped: ReadonlySet<string> = new Set(["journald", "syslog"]);

/** Milliseconds that a container's removal waits for its last lines to be taken. */
const patience = 5000;

interface Shipment {
  /** Resolves when all its lines are sent, or it was stopped. */
  readonly done: Promise<void>;
  /** Ends it, and those of the container's earlier lives that it waits for. */
  stop(): void;
}

/** Which containers' lines are sent elsewhere, by the log drivers journald and syslog. */
export class LogShipping {
  readonly #parts: Pick<EngineParts, "executor" | "log">;
  readonly #active = new Map<string, Shipment>();
  #closed = false;

  constructor(parts: Pick<EngineParts, "executor" | "log">) {
    this.#parts = parts;
  }

  /** For a container that runs until `ended`, or one whose last life may have left lines unsent. */
  begin(container: Container, ended: Promise<unknown>): void {
    if (!shipped.has(container.record.hostConfig.LogConfig.Type) || this.#closed) return;
    const shipment = this.#shipment(container, ended, this.#active.get(container.id));
    this.#active.set(container.id, shipment);
    shipment.done.then(() => {
      if (this.#active.get(container.id) === shipment) this.#active.delete(container.id);
    });
  }

  /** Before a container's log is deleted; undefined when there is nothing to wait for. */
  finished(id: string): Promise<void> | undefined {
    const active = this.#active.get(id);
    return active && Promise.race([active.done, setTimeout(patience, undefined, { ref: false })]).then(active.stop);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#active.values()];
    for (const { stop } of all) stop();
    await Promise.all(all.map(({ done }) => done));
  }

  #shipment(container: Container, ended: Promise<unknown>, earlier: Shipment | undefined): Shipment {
    let [before, shipper]: [Shipment | undefined, Shipper | undefined] = [earlier, undefined];
    let stopped = false;
    const ship = async () => {
      await before?.done;
      before = undefined;
      const { Shipper } = await import("./ship/shipper.ts");
      if (stopped) return;
      shipper = new Shipper(this.#parts, container);
      await shipper.run(ended);
    };
    const done = ship().catch((error) => {
      this.#parts.log.error({ container: container.id }, `its log lines are not sent any more: ${messageOf(error)}`);
    });
    const stop = () => {
      stopped = true;
      before?.stop();
      shipper?.stop();
    };
    return { done, stop };
  }
}
