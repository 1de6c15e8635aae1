import type { Writable } from "node:stream";
import { SampanClient } from "../client/client.ts";
import { standard } from "./standard.ts";

/** What flags before the command say. */
export interface GlobalOptions {
  readonly host: string | undefined;
}

/** What a command works with: the daemon and the three standard streams. */
export interface Context {
  readonly client: SampanClient;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to stdout. */
  print(line: string): void;
  /** Writes a line to stderr. */
  warn(line: string): void;
  /** Gives back the connections to the daemon. */
  close(): void;
}

/** The context of this process. */
export function processContext({ host }: GlobalOptions): Context {
  let client: SampanClient | undefined;
  return {
    get client() {
      client ??= new SampanClient({ host });
      return client;
    },
    get stdin() {
      return standard.stdin;
    },
    get stdout() {
      return standard.stdout;
    },
    get stderr() {
      return standard.stderr;
    },
    env: process.env,
    print: (line) => write(standard.stdout, `${line}\n`),
    warn: (line) => write(standard.stderr, `${line}\n`),
    close: () => client?.close(),
  };
}

function write(stream: Writable, text: string): void {
  stream.write(text);
}
