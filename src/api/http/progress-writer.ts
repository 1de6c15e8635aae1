import type { ServerResponse } from "node:http";
import { messageOf } from "../../errors/index.ts";
import type { Progress } from "../../images/types.ts";
import type { ProgressLine } from "../shapes/image.ts";
import { progressBar } from "./progress-bar.ts";

/**
 * Writes Docker's progress lines: one JSON object per line, ended by CRLF. The answer begins with the first line; until
 * then a failure can still be a status code. A client that reads slowly misses intermediate counts, nothing else, and
 * costs no more memory than one line per layer.
 */
export class ProgressWriter {
  readonly #response: ServerResponse;
  /** The latest count of each layer, held back while the client does not read. */
  readonly #pending = new Map<string, string>();
  #draining = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** A step of work on an image. */
  progress(step: Progress): void {
    const counted = step.total !== undefined || step.current !== undefined;
    const line = encode(progressLine(step));
    if (counted && step.id !== undefined && this.#response.writableNeedDrain) this.#hold(step.id, line);
    else {
      if (step.id !== undefined) this.#pending.delete(step.id);
      this.#write(line);
    }
  }

  /** Any other line. */
  line(line: ProgressLine): void {
    this.#write(encode(line));
  }

  /** Tells of a failure after the first line, and ends the answer. */
  fail(error: unknown, code?: number): void {
    const message = typeof error === "string" ? error : messageOf(error);
    this.#write(encode({ errorDetail: { ...(code !== undefined && { code }), message }, error: message }));
    this.end();
  }

  end(): void {
    this.#begin();
    this.#release();
    this.#response.end();
  }

  #hold(id: string, line: string): void {
    this.#pending.set(id, line);
    if (this.#draining) return;
    this.#draining = true;
    this.#response.once("drain", () => {
      this.#draining = false;
      this.#release();
    });
  }

  #release(): void {
    for (const line of this.#pending.values()) this.#write(line);
    this.#pending.clear();
  }

  #begin(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { "Content-Type": "application/json" });
  }

  #write(line: string): void {
    if (this.#response.destroyed) return;
    this.#begin();
    this.#response.write(line);
  }
}

function encode(line: ProgressLine): string {
  return `${JSON.stringify(line)}\r\n`;
}

/** Docker's JSON of a step: counts come with a bar drawn from them; steps of a layer without counts with an empty object. */
function progressLine({ id, status, current, total }: Progress): ProgressLine {
  const named = id === undefined ? {} : { id };
  if (current === undefined && total === undefined) {
    const layer = id !== undefined && !status.startsWith("Pulling from");
    return { status, ...(layer ? { progressDetail: {} } : {}), ...named };
  }
  const progressDetail = {
    ...(current === undefined ? {} : { current }),
    ...(total === undefined ? {} : { total }),
  };
  return { status, progressDetail, progress: progressBar(current ?? 0, total ?? 0), ...named };
}
