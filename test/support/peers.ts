import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { eventually, type Finished, type RunOptions, runProgram, succeed } from "./process.ts";

const tool = process.env.SAMPAN_PEERS ?? resolve(import.meta.dirname, "../../../shared/tools/peers");

/** Where the trees of the `peers` tool are. */
export const peersDirectory: string = process.env.PEERS ?? "/var/tmp/peers";

/** Whether there are other engines on this machine, in a tree of their own. */
export function hasPeers(): boolean {
  return existsSync(tool) && existsSync(join(peersDirectory, "root/.ready"));
}

/** What other engines do is written down, to be compared with where they are not. */
export const isRecording: boolean = process.env.SAMPAN_RECORD === "1";

/** Tests that take long, or that cannot be written down, are to be carried out beside the other engines. */
export const isBesidePeers: boolean = isRecording || process.env.SAMPAN_TEST_PEERS === "1";

/** Other engines' programs, shut in namespaces of their own by the `peers` tool. */
export class PeerWorld {
  readonly #name: string;
  /** What is /engine in there: files for both sides. */
  readonly directory: string;

  private constructor(name: string, directory: string) {
    this.#name = name;
    this.directory = directory;
  }

  /** Starts the world `name`, with `argv` as the first program in it. */
  static async start(name: string, argv: readonly string[]): Promise<PeerWorld> {
    await succeed(tool, ["start", name, ...argv]);
    const world = new PeerWorld(name, (await succeed(tool, ["path", name])).trim());
    // Until its first process is the one that waits for all others it is not in its own root yet.
    const isInside = () => readFileSync(`/proc/${world.pid}/cmdline`, "latin1").startsWith("tini\0");
    await eventually(`the world ${name} is made`, isInside);
    return world;
  }

  /** What comes before a program and its arguments to run it in there. */
  get enter(): string[] {
    return [tool, "exec", this.#name];
  }

  /** The first process in there, as it is numbered out here. */
  get pid(): number {
    return Number(readFileSync(join(dirname(this.directory), "pid"), "utf8"));
  }

  /** The last lines of the first program's output. */
  logs(): string {
    const log = join(dirname(this.directory), "log");
    return existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(-30).join("\n") : "";
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [file = "", ...args] = [...this.enter, ...argv];
    return runProgram(file, args, options);
  }

  /** Runs a program in there, which has to end with status 0; its output without the last line's end. */
  async ok(...argv: string[]): Promise<string> {
    return (await this.bytes(argv)).toString().replace(/\n$/, "");
  }

  /** As `ok`, with input and output that are no text. */
  async bytes(argv: readonly string[], options: RunOptions = {}): Promise<Buffer> {
    const { status, bytes, stderr } = await this.run(argv, options);
    if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}:\n${bytes.toString()}${stderr}`);
    return bytes;
  }

  /** Ends everything in there; its files stay. */
  async stop(): Promise<void> {
    await succeed(tool, ["stop", this.#name]);
  }

  /** Ends everything in there and removes its files. */
  async close(): Promise<void> {
    await this.stop();
    await succeed("rm", ["-rf", "--one-file-system", dirname(this.directory)]);
  }
}
