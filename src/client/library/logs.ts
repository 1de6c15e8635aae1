import type { ContainerLogs } from "../containers.ts";
import { FrameDecoder } from "../frames.ts";
import type { Response } from "../http/response.ts";
import type { Cancellable } from "./options.ts";

/** A line that a container has written, without its end. */
export interface LogLine {
  /** `stdout` for all of a container with a terminal. */
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** When it was written; only when asked for with `timestamps`. Cut to the millisecond. */
  readonly at?: Date;
}

export interface LogOptions extends Cancellable {
  /** Both, unless one is left out. */
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  /** Goes on until the container ends. */
  readonly follow?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  /** Only so many lines, the last ones. */
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** The options in the API's words. */
export function logQuery({ stdout = true, stderr = true, ...options }: LogOptions): ContainerLogs {
  return {
    stdout,
    stderr,
    follow: options.follow,
    timestamps: options.timestamps,
    tail: options.tail === undefined ? undefined : String(options.tail),
    since: unixTime(options.since),
    until: unixTime(options.until),
  };
}

function unixTime(date: Date | undefined): string | undefined {
  return date === undefined ? undefined : (date.getTime() / 1000).toFixed(3);
}

/** A log's lines as they come. Of a line that the log ends in the middle of, what is there. */
export async function* logLines(
  response: Response,
  { framed, timestamps }: { readonly framed: boolean; readonly timestamps: boolean },
): AsyncGenerator<LogLine> {
  const ready: LogLine[] = [];
  const cutters = { stdout: new LineCutter(), stderr: new LineCutter() };
  const take = (stream: LogLine["stream"], lines: readonly string[]): void => {
    for (const line of lines) ready.push(logLine(stream, line, timestamps));
  };
  const decoder = new FrameDecoder((id, payload) => {
    const stream = id === 2 || id === 3 ? "stderr" : "stdout";
    take(stream, cutters[stream].push(payload));
  });
  for await (const chunk of response) {
    if (framed) decoder.push(chunk);
    else take("stdout", cutters.stdout.push(chunk));
    yield* ready.splice(0);
  }
  for (const stream of ["stdout", "stderr"] as const) take(stream, cutters[stream].end());
  yield* ready;
}

function logLine(stream: LogLine["stream"], line: string, timestamps: boolean): LogLine {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (!timestamps) return { stream, text };
  const space = text.indexOf(" ");
  return { stream, text: text.slice(space + 1), at: new Date(text.slice(0, space)) };
}

/** Cuts a stream of bytes into lines of text. */
class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  push(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    return rest === "" ? [] : [rest];
  }
}
