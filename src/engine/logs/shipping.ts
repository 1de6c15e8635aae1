import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../errors/index.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import type { Shipper } from "./ship/shipper.ts";

const shipped: ReadonlySet<string> = new Set(["journald", "syslog"]);

/** Milliseconds that a container's removal waits for its last lines to be taken. */
const patience = 5000;

/** Which containers' lines are sent elsewhere, by the log drivers journald and syslog. */
export class LogShipping {
  readonly #parts: Pick<EngineParts, "executor" | "log">;
  readonly #active = new Map<string, { readonly done: Promise<void>; shipper?: Shipper }>();
  #closed = false;

  constructor(parts: Pick<EngineParts, "executor" | "log">) {
    this.#parts = parts;
  }

  /** For a container that runs until `ended`, or one whose last life may have left lines unsent. */
  begin(container: Container, ended: Promise<unknown>): void {
    if (!shipped.has(container.record.hostConfig.LogConfig.Type) || this.#closed) return;
    const before = this.#active.get(container.id)?.done;
    const entry: { done: Promise<void>; shipper?: Shipper } = { done: Promise.resolve() };
    entry.done = this.#run(container, { before, ended, entry })
      .catch((error) => {
        this.#parts.log.error({ container: container.id }, `its log lines are not sent any more: ${messageOf(error)}`);
      })
      .then(() => {
        if (this.#active.get(container.id) === entry) this.#active.delete(container.id);
      });
    this.#active.set(container.id, entry);
  }

  /** Before a container's log is deleted; undefined when there is nothing to wait for. */
  finished(id: string): Promise<void> | undefined {
    const active = this.#active.get(id);
    return active && Promise.race([active.done, setTimeout(patience)]).then(() => active.shipper?.stop());
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#active.values()];
    for (const { shipper } of all) shipper?.stop();
    await Promise.all(all.map(({ done }) => done));
  }

  async #run(
    container: Container,
    {
      before,
      ended,
      entry,
    }: { before: Promise<void> | undefined; ended: Promise<unknown>; entry: { shipper?: Shipper } },
  ): Promise<void> {
    await before;
    const { Shipper } = await import("./ship/shipper.ts");
    if (this.#closed) return;
    entry.shipper = new Shipper(this.#parts, container);
    await entry.shipper.run(ended);
  }
}
