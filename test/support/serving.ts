import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Sandbox, sampan } from "./sandbox.ts";

/** `sampan registry serve` in the foreground. */
export interface Serving {
  /** "127.0.0.1:40123". */
  readonly host: string;
  /** Everything that it printed. */
  readonly lines: readonly string[];
  /** Ctrl-C. */
  close(): Promise<void>;
}

/** Starts `sampan registry serve ARGS…` of a sandbox whose daemon runs, on a free port unless told otherwise. */
export async function serveFrom(box: Sandbox, ...args: string[]): Promise<Serving> {
  const listen = args.some((arg) => arg.startsWith("--listen")) ? [] : ["--listen", "127.0.0.1:0"];
  const [file = "", ...all] = [...box.enter, sampan, "registry", "serve", ...listen, ...args];
  const child = spawn(file, all, { env: box.env, cwd: box.directory, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  const host = await new Promise<string>((resolve, reject) => {
    output.on("line", (line) => {
      lines.push(line);
      const [, address] = /^Serving images at https?:\/\/(\S+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    ended.then(() => reject(new Error(`registry serve ended: ${Buffer.concat(errors)}`)));
  });
  return {
    host,
    lines,
    close: async () => {
      child.kill("SIGINT");
      await ended;
    },
  };
}
