import type { BuildEvent, LogEvent, StatusEvent, StepEvent } from "../../../api/shapes/build.ts";

/** One step as it is shown. */
export interface Step extends StepEvent {
  /** In the order of their beginnings, from 1. */
  readonly number: number;
  readonly statuses: ReadonlyMap<string, StatusEvent>;
  /** The last whole lines of its output. */
  readonly tail: readonly string[];
}

interface Growing {
  event: StepEvent;
  readonly number: number;
  readonly statuses: Map<string, StatusEvent>;
  tail: string[];
  partial: string;
}

/** How much output is remembered of a step, for the end of one that failed. */
const remembered = 20;

/** Of a line that does not end, so many characters are remembered. */
const longestLine = 64 * 1024;

/** What is known of a build's steps so far. */
export class Steps {
  readonly #steps = new Map<string, Growing>();
  readonly #waiting = new Set<string>();

  /** Steps that have begun, in the order of their beginnings. */
  get begun(): readonly Step[] {
    return [...this.#steps.values()].map(({ event, number, statuses, tail }) => ({ ...event, number, statuses, tail }));
  }

  /** How many are over, and how many are known. */
  get counts(): { readonly over: number; readonly known: number } {
    const over = [...this.#steps.values()].filter(({ event }) => event.completed !== undefined).length;
    return { over, known: this.#steps.size + this.#waiting.size };
  }

  get(id: string): Step | undefined {
    const step = this.#steps.get(id);
    if (step === undefined) return undefined;
    const { event, number, statuses, tail } = step;
    return { ...event, number, statuses, tail };
  }

  /** Takes an event in; answers the lines of output that it completes. */
  apply(event: BuildEvent): readonly string[] {
    if (event.type === "step") this.#step(event);
    else if (event.type === "status") this.#steps.get(event.step)?.statuses.set(event.id, event);
    else if (event.type === "log") return this.#log(event);
    return [];
  }

  /** What a step has written without ending the line. */
  rest(id: string): readonly string[] {
    const step = this.#steps.get(id);
    if (step === undefined || step.partial === "") return [];
    const { partial } = step;
    step.partial = "";
    step.tail.push(partial);
    return [partial];
  }

  #step(event: StepEvent): void {
    const known = this.#steps.get(event.id);
    if (known !== undefined) known.event = event;
    else if (event.started === undefined && event.completed === undefined) this.#waiting.add(event.id);
    else {
      this.#waiting.delete(event.id);
      const number = this.#steps.size + 1;
      this.#steps.set(event.id, { event, number, statuses: new Map(), tail: [], partial: "" });
    }
  }

  #log({ step: id, data }: LogEvent): readonly string[] {
    const step = this.#steps.get(id);
    if (step === undefined) return [];
    const lines = (step.partial + data).split("\n");
    step.partial = (lines.pop() ?? "").slice(-longestLine);
    const whole = lines.map(printable);
    step.tail = [...step.tail, ...whole].slice(-remembered);
    return whole;
  }
}

/** Of a line that was drawn over itself (`\r`), what is left in the end. */
function printable(line: string): string {
  return line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
}
