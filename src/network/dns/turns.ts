/** Lets so many at once and the others wait in line; whoever finds the line full is sent away. */
export class Turns {
  readonly #most: number;
  readonly #line: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(most: number, line: number) {
    this.#most = most;
    this.#line = line;
  }

  /** Runs `body` in its turn; undefined when it gets none. */
  async take<T>(body: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#most) {
      if (this.#waiting.length >= this.#line) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await body();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
