import type { BuildEvent, StatusEvent, StepEvent } from "../../../api/shapes/build.ts";
import { humanSize } from "../../format/units.ts";
import { type Step, Steps } from "./steps.ts";

/**
 * Lines as BuildKit's `--progress=plain` writes them: every step has a number; when the output goes over to another step,
 * its name comes again.
 *
 *     #4 [2/3] RUN make
 *     #4 0.312 cc -c main.c
 *     #4 DONE 1.2s
 */
export class PlainProgress {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #steps = new Steps();
  /** The step that was written of last. */
  #current: string | undefined;
  readonly #finished = new Set<string>();

  constructor(write: (text: string) => void, now: () => number = Date.now) {
    this.#write = write;
    this.#now = now;
  }

  event(event: BuildEvent): void {
    const lines = this.#steps.apply(event);
    if (event.type === "step") this.#step(event);
    else if (event.type === "log") for (const line of lines) this.#line(event.step, this.#stamped(event.step, line));
    else if (event.type === "status") this.#status(event);
  }

  /** What a step wrote last, for the report of its failure. */
  step(id: string): Step | undefined {
    return this.#steps.get(id);
  }

  end(): void {
    // Everything has been written as it came.
  }

  #step(event: StepEvent): void {
    if (event.started === undefined && event.completed === undefined) return;
    if (this.#finished.has(event.id)) return;
    this.#head(event.id);
    if (event.completed === undefined) return;
    for (const rest of this.#steps.rest(event.id)) this.#line(event.id, this.#stamped(event.id, rest));
    this.#finished.add(event.id);
    this.#line(event.id, outcome(event));
    this.#write("\n");
    this.#current = undefined;
  }

  #status(event: StatusEvent): void {
    if (event.completed === undefined) return;
    const amount = event.total === undefined || event.total === 0 ? "" : ` ${humanSize(event.total, 4)}`;
    this.#line(event.step, `${event.id}${amount} ${seconds(event.completed - event.started)} done`);
  }

  #line(id: string, text: string): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    this.#head(id);
    this.#write(`#${step.number} ${text}\n`);
  }

  /** Says which step it is about, when that is another one than before. */
  #head(id: string): void {
    const step = this.#steps.get(id);
    if (step === undefined || this.#current === id) return;
    const before = this.#current === undefined ? undefined : this.#steps.get(this.#current);
    if (before !== undefined) this.#write(`#${before.number} ...\n\n`);
    this.#write(`#${step.number} ${step.name}\n`);
    this.#current = id;
  }

  #stamped(id: string, line: string): string {
    const started = this.#steps.get(id)?.started ?? this.#now();
    return `${(Math.max(0, this.#now() - started) / 1000).toFixed(3)} ${line}`;
  }
}

function outcome({ error, cached, started, completed }: StepEvent): string {
  if (error !== undefined) return error === "cancelled" ? "CANCELED" : `ERROR: ${error}`;
  if (cached === true) return "CACHED";
  return `DONE ${seconds((completed ?? 0) - (started ?? completed ?? 0))}`;
}

function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;
}
