import type { Writable } from "node:stream";

/** A stream that may be a terminal. */
type Screen = Writable & { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number };

const home = "\x1b[H";
const clearToEndOfLine = "\x1b[K";
const clearBelow = "\x1b[J";
const clearAll = "\x1b[2J";

/** Lines that are drawn again and again at the same place, without flicker; one after the other where there is no terminal. */
export class LiveScreen {
  readonly #screen: Screen;
  #last = "";
  #begun = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(lines: readonly string[]): void {
    if (!this.#screen.isTTY) {
      this.#screen.write(lines.map((line) => `${line}\n`).join(""));
      return;
    }
    const { rows = 24, columns = 80 } = this.#screen;
    // What does not fit would scroll: the place would move.
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => line.slice(0, columns));
    const text = shown.map((line) => `${line}${clearToEndOfLine}\n`).join("");
    if (text === this.#last) return;
    this.#last = text;
    this.#screen.write(`${this.#begun ? "" : clearAll}${home}${text}${clearBelow}`);
    this.#begun = true;
  }
}
