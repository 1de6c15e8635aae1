/** A start that comes by itself: after a while, and after those that it needs and that are to come by themselves, too. */
export class PendingStart {
  readonly #timer: NodeJS.Timeout;
  readonly #over = Promise.withResolvers<void>();
  #cancelled = false;

  /** @param delay milliseconds */
  constructor(delay: number, needs: readonly PendingStart[], start: () => Promise<unknown>) {
    const begin = () => (this.#cancelled ? undefined : start());
    this.#timer = setTimeout(() => {
      Promise.all(needs.map(({ over }) => over))
        .then(begin)
        .finally(this.#over.resolve);
    }, delay);
  }

  /** Resolves when it has been tried, or there is to be none any more. */
  get over(): Promise<unknown> {
    return this.#over.promise;
  }

  cancel(): void {
    this.#cancelled = true;
    clearTimeout(this.#timer);
    this.#over.resolve();
  }
}
