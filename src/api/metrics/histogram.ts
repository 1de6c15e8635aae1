/** Upper bounds in seconds; dockerd's. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long something took, as Prometheus counts it. */
export class Histogram {
  readonly #counts = bounds.map(() => 0);
  #sum = 0;
  #count = 0;

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    const first = bounds.findIndex((bound) => seconds <= bound);
    for (let i = first < 0 ? bounds.length : first; i < bounds.length; i++)
      this.#counts[i] = (this.#counts[i] ?? 0) + 1;
  }

  /** The lines of one label set, such as `action="start"`. */
  lines(name: string, labels: string): string[] {
    return [
      ...bounds.map((bound, i) => `${name}_bucket{${labels},le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{${labels},le="+Inf"} ${this.#count}`,
      `${name}_sum{${labels}} ${this.#sum}`,
      `${name}_count{${labels}} ${this.#count}`,
    ];
  }
}
