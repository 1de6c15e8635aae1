import { nowNs } from "../time.ts";
import type { EngineEvent, EventLog, EventType } from "./types.ts";

const remembered = 256;

/** Tells what happens to whoever listens, and remembers the last of it. */
export class Events implements EventLog {
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #ring: EngineEvent[] = [];
  total = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    const event = { type, action, actor: { id, attributes }, timeNano: nowNs() };
    this.total++;
    this.#ring.push(event);
    if (this.#ring.length > remembered) this.#ring.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** Tells that things of one kind were removed because nobody used them, and how many bytes that gave. */
  pruned(type: EventType, reclaimed: number): void {
    this.emit(type, "prune", "", { reclaimed: String(reclaimed) });
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  recent(): readonly EngineEvent[] {
    return [...this.#ring];
  }
}
