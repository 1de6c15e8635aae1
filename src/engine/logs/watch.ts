import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";

/** Wakes a reader when something in the log's directory changes (inotify(7)), or when it is told to. */
export class LogWatch {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#watcher = watch(dirname(path), { persistent: false }, () => this.poke());
    this.#watcher.on("error", () => this.poke());
  }

  poke(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Resolves once something has changed since the last call. */
  async changed(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#changed = false;
  }

  close(): void {
    this.#watcher.close();
  }
}
