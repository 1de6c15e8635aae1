import { Batch } from "../../kernel/batch.ts";
import type { Session } from "../../kernel/executor.ts";
import { readable } from "../tar/entry.ts";

/** A batch is sent when it holds this many bytes of data or this many steps (80 bytes each): more is not faster. */
const DATA = 256 * 1024;
const STEPS = 3000;
/** Bytes that a batch begins with; most trees that are removed are tiny, and V8 counts this memory for its collections. */
const SMALL = 4096;
/** Batches on their way: one that the helper executes, one that waits in the socket, one that is being written. */
const IN_FLIGHT = 3;

/**
 * Sends steps to one session of the helper, batch by batch, without waiting for one before the next is built.
 * The first failure ends it: `room` and `settle` throw it from then on.
 */
export class Pipeline {
  readonly #session: Session;
  readonly #purpose: string;
  #batch: Batch;
  readonly #idle: Batch[] = [];
  #flying = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(session: Session, purpose: string) {
    this.#session = session;
    this.#purpose = purpose;
    this.#batch = this.#fresh();
  }

  /** The batch that steps are to be added to. */
  get batch(): Batch {
    return this.#batch;
  }

  /** Bytes of data that the batch still takes; steps that belong together may go beyond. */
  get left(): number {
    return DATA - this.#batch.used;
  }

  /** Sends the batch if it is full. To be called where no variable is in use. */
  sendIfFull(): void {
    if (this.#batch.used >= DATA || this.#batch.count >= STEPS) this.send();
  }

  /** Sends the batch. */
  send(): void {
    const batch = this.#batch;
    if (batch.count === 0 || this.#failure) {
      batch.reset();
      return;
    }
    this.#batch = this.#idle.pop() ?? this.#fresh();
    this.#flying++;
    this.#session.run(batch).then(
      () => {
        batch.reset();
        this.#idle.push(batch);
        this.#landed();
      },
      (error) => {
        this.#failure ??= { error };
        this.#landed();
      },
    );
  }

  /** Waits until another batch may be sent. */
  async room(): Promise<void> {
    await this.#fewerThan(IN_FLIGHT);
  }

  /** Sends what is left and waits until all of it is done. */
  async settle(): Promise<void> {
    this.send();
    await this.#fewerThan(1);
  }

  async #fewerThan(count: number): Promise<void> {
    while (!this.#failure && this.#flying >= count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure) throw this.#failure.error;
  }

  #landed(): void {
    this.#flying--;
    this.#wake?.();
    this.#wake = undefined;
  }

  #fresh(): Batch {
    return new Batch(this.#purpose, { capacity: SMALL, results: 1, note: readable });
  }
}
