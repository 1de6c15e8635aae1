import { stripVTControlCharacters } from "node:util";
import type { BuildEvent, StatusEvent } from "../../../api/shapes/build.ts";
import { humanSize } from "../../format/units.ts";
import { type Step, Steps } from "./steps.ts";

/** Lines of output below a step that runs. */
const tailLines = 6;

/** What the picture depends on besides the steps. */
export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly began: number;
  readonly finished: boolean;
  readonly paint: (style: "bold" | "dim", text: string) => string;
}

/**
 * The picture of a build on a terminal, as BuildKit draws it: one line a step with its time at the right, the last lines of
 * output below those that run. When there are more lines than rows, steps that are over go first.
 */
export function drawSteps(steps: Steps, frame: Frame): readonly string[] {
  const { over, known } = steps.counts;
  const { finished, now, began } = frame;
  const head = `[+] Building ${seconds(now - began)} (${over}/${known})${finished ? " FINISHED" : ""}`;
  const blocks = steps.begun.map((step) => ({ over: step.completed !== undefined, lines: drawStep(step, frame) }));
  let excess = finished ? 0 : blocks.reduce((sum, { lines }) => sum + lines.length, 2) - frame.rows;
  const shown = blocks.filter((block) => {
    if (excess <= 0 || !block.over) return true;
    excess -= block.lines.length;
    return false;
  });
  const lines = shown.flatMap((block) => block.lines);
  return [head, ...(finished ? lines : lines.slice(-Math.max(1, frame.rows - 2)))];
}

function drawStep(step: Step, frame: Frame): readonly string[] {
  const running = step.completed === undefined;
  const elapsed = (step.completed ?? frame.now) - (step.started ?? frame.now);
  const words = step.cached === true ? "CACHED " : failure(step);
  const line = aligned(` => ${words}${step.name}`, seconds(elapsed), frame.columns);
  const details = [...step.statuses.values()]
    .filter(({ completed }) => running || completed !== undefined)
    .map((status) => aligned(` => => ${statusText(status)}`, seconds(statusTime(status, frame.now)), frame.columns));
  const tail = running && !frame.finished ? step.tail.slice(-tailLines) : [];
  const output = tail.map((text) => frame.paint("dim", clipped(` => => # ${text}`, frame.columns)));
  return [running ? frame.paint("bold", line) : line, ...details, ...output];
}

function failure({ error }: Step): string {
  if (error === undefined) return "";
  return error === "cancelled" ? "CANCELED " : "ERROR ";
}

function statusText({ id, current, total }: StatusEvent): string {
  if (current === undefined) return id;
  return total === undefined ? `${id} ${humanSize(current)}` : `${id} ${humanSize(current)} / ${humanSize(total)}`;
}

function statusTime({ started, completed }: StatusEvent, now: number): number {
  return (completed ?? now) - started;
}

function aligned(left: string, right: string, columns: number): string {
  const room = columns - right.length - 1;
  return `${clipped(left, room).padEnd(room)} ${right}`;
}

/** Control characters would draw elsewhere. */
function clipped(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text.replaceAll("\t", "    ")).replace(/\p{Cc}/gu, "");
  return plain.length <= columns ? plain : `${plain.slice(0, Math.max(0, columns - 1))}…`;
}

function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;
}

/** A terminal of which the last lines are drawn again and again. */
export class ScreenProgress {
  readonly #screen: NodeJS.WriteStream;
  readonly #paint: Frame["paint"];
  readonly #steps = new Steps();
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;
  #ended = false;

  constructor(screen: NodeJS.WriteStream, paint: Frame["paint"]) {
    this.#screen = screen;
    this.#paint = paint;
    this.#timer = setInterval(() => this.#draw(false), 100);
  }

  event(event: BuildEvent): void {
    this.#steps.apply(event);
  }

  step(id: string): Step | undefined {
    return this.#steps.get(id);
  }

  /** Draws the last picture, which stays. */
  end(): void {
    clearInterval(this.#timer);
    if (!this.#ended) this.#draw(true);
    this.#ended = true;
  }

  #draw(finished: boolean): void {
    const { columns, rows } = this.#screen;
    const size = { columns: Math.max(columns || 80, 20), rows: Math.max(rows || 24, 4) };
    const frame = { ...size, now: Date.now(), began: this.#began, finished, paint: this.#paint };
    const lines = drawSteps(this.#steps, frame);
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    this.#screen.write(`${up}\r\x1b[J${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}
