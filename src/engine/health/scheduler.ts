/** Milliseconds: what is due within one falls into one wake-up, however many containers there are. */
const grain = 25;

type Job = () => void;

/** One timer for everything that is to be done later. Nothing is done early, and nothing but by a grain late. */
export class Scheduler {
  /** By grain since the epoch of `performance.now`. */
  readonly #due = new Map<number, Set<Job>>();
  #timer: NodeJS.Timeout | undefined;
  #next = Number.POSITIVE_INFINITY;

  /** Does `job` in so many milliseconds, unless the answer is called before. */
  after(delay: number, job: Job): () => void {
    const slot = Math.ceil((performance.now() + delay) / grain);
    const jobs = this.#due.get(slot) ?? new Set();
    this.#due.set(slot, jobs.add(job));
    if (slot < this.#next) this.#wakeAt(slot);
    return () => {
      jobs.delete(job);
      if (jobs.size === 0 && this.#due.get(slot) === jobs) this.#due.delete(slot);
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  #wakeAt(slot: number): void {
    clearTimeout(this.#timer);
    this.#next = slot;
    // The longest that a timer takes is 24 days: then it is looked again.
    const wait = Math.min(slot * grain - performance.now(), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#run(), Math.max(wait, 0)).unref();
  }

  #run(): void {
    const now = Math.floor(performance.now() / grain);
    const slots = [...this.#due.keys()].filter((slot) => slot <= now).toSorted((a, b) => a - b);
    const jobs = slots.flatMap((slot) => [...(this.#due.get(slot) ?? [])]);
    for (const slot of slots) this.#due.delete(slot);
    for (const job of jobs) job();
    this.#next = Number.POSITIVE_INFINITY;
    let first = Number.POSITIVE_INFINITY;
    for (const slot of this.#due.keys()) first = Math.min(first, slot);
    if (first !== Number.POSITIVE_INFINITY) this.#wakeAt(first);
  }
}
