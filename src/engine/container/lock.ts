/** Runs actions on one thing one after the other, in the order they came. */
export class Lock {
  #last: Promise<unknown> | undefined;

  run<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last === undefined ? action() : this.#last.then(action, action);
    this.#last = mine;
    const forget = () => {
      if (this.#last === mine) this.#last = undefined;
    };
    mine.then(forget, forget);
    return mine;
  }
}
