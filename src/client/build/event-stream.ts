import type { BuildEvent } from "../../api/shapes/build.ts";
import { SampanError } from "../../errors/index.ts";

const newline = 0x0a;

/** The longest line that is still believed to be one. */
const longest = 64 * 1024 * 1024;

/**
 * The answer of a build: events, a JSON object a line, and behind the event of type "output" bytes of another kind. Events
 * are read to their end before the output.
 */
export class BuildAnswer {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(response: AsyncIterable<Uint8Array>) {
    this.#chunks = response[Symbol.asyncIterator]();
  }

  /** Everything up to the output, or to the end. */
  async *events(): AsyncGenerator<BuildEvent> {
    for (let line = await this.#line(); line !== undefined; line = await this.#line()) {
      if (line.trim() === "") continue;
      const event = JSON.parse(line) as BuildEvent;
      yield event;
      if (event.type === "output") return;
    }
  }

  /** The bytes behind the event of type "output". */
  async *output(): AsyncGenerator<Uint8Array> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = Buffer.alloc(0);
    for (let chunk = await this.#chunks.next(); chunk.done !== true; chunk = await this.#chunks.next())
      yield chunk.value;
  }

  async #line(): Promise<string | undefined> {
    for (let from = 0; ; ) {
      const end = this.#rest.indexOf(newline, from);
      if (end >= 0 || this.#over) {
        const until = end < 0 ? this.#rest.length : end;
        const line = this.#rest.subarray(0, until).toString();
        this.#rest = this.#rest.subarray(Math.min(until + 1, this.#rest.length));
        return line === "" && end < 0 ? undefined : line;
      }
      from = this.#rest.length;
      if (from > longest) throw new SampanError("internal", "Cannot read the daemon's answer: a line has no end");
      const { value, done } = await this.#chunks.next();
      if (done === true) this.#over = true;
      else this.#rest = Buffer.concat([this.#rest, value]);
    }
  }
}
