import type { Writable } from "node:stream";
import type { ProgressLine } from "../../api/shapes/image.ts";
import { SampanError } from "../../errors/index.ts";
import { progressText } from "./bar.ts";

/** A stream that may be a terminal. */
export type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Where nothing is shown. */
export const silent = { write: () => true } as unknown as Screen;

/** The shortest time between two drawings of the same line, in ms. */
const frame = 50;

/** Shows progress lines: one line per id that is drawn again on a terminal, plain lines without amounts elsewhere. */
export class ProgressDisplay {
  readonly #screen: Screen;
  /** The row of every id, counted from the first one. */
  readonly #rows = new Map<string, number>();
  /** What is to be drawn at the next frame. */
  readonly #pending = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Shows all lines of a stream; throws the error that the stream ends with. */
  async show(lines: AsyncIterable<ProgressLine>): Promise<void> {
    try {
      for await (const line of lines) {
        const failure = line.errorDetail?.message ?? line.error;
        if (failure !== undefined) throw new SampanError("internal", failure);
        this.add(line);
      }
    } finally {
      this.flush();
    }
  }

  add(line: ProgressLine): void {
    if (line.stream !== undefined) {
      this.flush();
      this.#rows.clear();
      this.#screen.write(line.stream);
    } else if (line.status !== undefined) this.#status(line, line.status);
  }

  /** Draws what has been held back. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [id, text] of this.#pending) this.#draw(id, text);
    this.#pending.clear();
  }

  #status({ id, progressDetail }: ProgressLine, status: string): void {
    const amount = progressDetail === undefined ? "" : progressText(progressDetail, this.#columns);
    if (!this.#screen.isTTY) {
      if (amount === "") this.#screen.write(`${id === undefined ? "" : `${id}: `}${status}\n`);
      return;
    }
    if (id === undefined) {
      this.flush();
      this.#rows.clear();
      this.#screen.write(`${status}\n`);
      return;
    }
    this.#pending.set(id, `${id}: ${status}${amount === "" ? "" : ` ${amount}`}`);
    this.#timer ??= setTimeout(() => this.flush(), frame);
  }

  /** A terminal that does not know its width says 0. */
  get #columns(): number {
    return this.#screen.columns || 80;
  }

  #draw(id: string, text: string): void {
    const line = text.slice(0, Math.max(this.#columns, 20) - 1);
    const row = this.#rows.get(id);
    if (row === undefined) {
      this.#rows.set(id, this.#rows.size);
      this.#screen.write(`${line}\n`);
      return;
    }
    const up = this.#rows.size - row;
    this.#screen.write(`\x1b[${up}A\x1b[2K\r${line}\x1b[${up}B\r`);
  }
}
