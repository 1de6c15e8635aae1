import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, globSync, mkdirSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, afterEach, before } from "node:test";
import { type Layout, layoutOf } from "../../src/storage/layout.ts";
import { dockerArchive, type TestImage } from "./images.ts";
import { leftovers } from "./leaks.ts";
import { eventually, type Finished, type RunOptions, runProgram } from "./process.ts";

const checkout = resolve(import.meta.dirname, "../..");
export const sampan: string = join(checkout, "bin/sampan");

export interface ApiAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** As `text`, for a body that is not text. */
  readonly bytes: Buffer;
  /** The parsed body; undefined when there is none. */
  readonly json: unknown;
}

/**
 * A daemon of a test's own with all its state below one temporary directory, and the command line to talk to it. The
 * daemon is started by the first command, as for a user, or by `start`.
 */
export class Sandbox {
  /** Everything of the test, scratch files too. */
  readonly directory: string;
  readonly layout: Layout;
  readonly env: NodeJS.ProcessEnv;
  /** Put before every command, the daemon's too: the way into another network, see namespace.ts. */
  enter: readonly string[] = [];
  #daemon: ChildProcess | undefined;
  #started: Promise<void> | undefined;

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.directory = mkdtempSync(join(tmpdir(), "sampan-"));
    this.layout = layoutOf({ root: join(this.directory, "root"), run: join(this.directory, "run") });
    const home = join(this.directory, "home");
    mkdirSync(home);
    const { PATH, TERM, LANG, CI, SAMPAN_SLOW_MACHINE } = process.env;
    const inherited = Object.entries({ PATH, TERM, LANG, CI, SAMPAN_SLOW_MACHINE }).filter(([, v]) => v !== undefined);
    this.env = {
      ...Object.fromEntries(inherited),
      HOME: home,
      SAMPAN_ROOT: this.layout.root,
      SAMPAN_RUN: this.layout.run,
      SAMPAN_BRIDGE: "none", // no links and rules on the machine itself: see netns.ts
      ...env,
    };
  }

  /** Runs `sampan ARGS…`; a daemon that is just starting is waited for, for a file's hooks do not wait for each other. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    await this.#started?.catch(() => {});
    const [file = "", ...all] = [...this.enter, sampan, ...args];
    return runProgram(file, all, { cwd: this.directory, ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs `sampan ARGS…`, which has to end with status 0, and returns its output without the last line's end. */
  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args);
    assert.equal(status, 0, `sampan ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  /** Runs `sampan ARGS…`, which has to end with this status and say something that matches. */
  async fails(expected: { status: number; stderr: RegExp }, ...args: string[]): Promise<Finished> {
    const finished = await this.run(args);
    assert.match(finished.stderr, expected.stderr, `sampan ${args.join(" ")}`);
    assert.equal(finished.status, expected.status, `sampan ${args.join(" ")}: ${finished.stderr}`);
    return finished;
  }

  /** Starts the daemon and waits until it answers. `args` are those of `sampan daemon`. */
  async start(...args: string[]): Promise<void> {
    this.#started = this.#start(args);
    await this.#started;
  }

  async #start(args: readonly string[]): Promise<void> {
    const log = openSync(join(this.directory, "daemon.log"), "a");
    const [file = "", ...all] = [...this.enter, sampan, "daemon", ...args];
    const daemon = spawn(file, all, { env: this.env, cwd: "/", stdio: ["ignore", log, log] });
    closeSync(log);
    this.#daemon = daemon;
    let ended = false;
    daemon.once("exit", () => {
      ended = true;
    });
    await eventually("the daemon answers", async () => {
      if (ended) throw new Error(`the daemon ended with ${daemon.exitCode}:\n${this.logs()}`);
      return (await this.ping()) || undefined;
    });
  }

  /** The daemon's process id, whoever started it; undefined when none runs. */
  get pid(): number | undefined {
    if (!existsSync(this.layout.pidFile)) return undefined;
    const pid = Number(readFileSync(this.layout.pidFile, "utf8"));
    return pid > 0 && !isGone(pid) ? pid : undefined;
  }

  /** Ends the daemon with a signal and waits until it is gone. Containers stay. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const pid = this.pid ?? this.#daemon?.pid;
    this.#daemon = undefined;
    if (pid === undefined || !existsSync(`/proc/${pid}`)) return;
    process.kill(pid, signal);
    await eventually(`daemon ${pid} ends after ${signal}`, () => isGone(pid), 15_000);
  }

  /** Kills the daemon without warning and starts it again. */
  async crash(): Promise<void> {
    await this.stop("SIGKILL");
    await this.start();
  }

  /** Whether the daemon answers. */
  async ping(): Promise<boolean> {
    return await this.api("GET", "/_ping").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** One request to the API; `body` is sent as JSON unless it is text or bytes. */
  api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    const payload = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
    const type = payload === undefined ? {} : { "content-type": "application/json" };
    const options = { socketPath: this.layout.apiSocket, method, path, headers: { ...type, ...headers } };
    return new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json: parsed(text) });
        });
      });
      call.once("error", reject);
      call.end(payload);
    });
  }

  /** Loads an image under a name, or several. */
  async load(image: TestImage, ...names: string[]): Promise<void> {
    const { status, stderr } = await this.run(["load"], { input: await dockerArchive(image, names) });
    assert.equal(status, 0, stderr);
  }

  /** What daemons wrote, for a failing test's report. */
  logs(): string {
    const files = [join(this.directory, "daemon.log"), ...globSync(join(this.directory, "{root,run}/*.log"))];
    return files
      .filter((file) => existsSync(file))
      .map((file) => `${file}:\n${readFileSync(file, "utf8").split("\n").slice(-60).join("\n")}`)
      .join("\n");
  }

  /** Removes all containers. */
  async clear(): Promise<void> {
    if (!existsSync(this.layout.stateDb)) return;
    const { stdout } = await this.run(["ps", "-aq"]);
    const ids = stdout.split("\n").filter((id) => id !== "");
    if (ids.length > 0) await this.run(["rm", "-f", ...ids]);
  }

  /** Removes all containers, ends the daemon, checks that nothing is left on the machine and deletes the directory. */
  async close(): Promise<void> {
    await this.clear();
    await this.stop();
    await eventually(
      "the test's processes and cgroups are gone",
      () => leftovers(this.layout).length === 0,
      3000,
    ).catch(() => {});
    assert.deepEqual(leftovers(this.layout), [], "left behind on the machine");
    await removeTree(this.directory);
  }
}

/** A process is gone when it has ended, waited for or not. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Deletes a test's directory, but nothing that is mounted below it. */
export async function removeTree(directory: string): Promise<void> {
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
  assert.deepEqual(mounted, [], `still mounted below ${directory}`);
  await runProgram("rm", ["-rf", "--one-file-system", directory], { cwd: dirname(directory) });
}

/**
 * A sandbox for all tests of the file: made before the first, closed and checked for leaks after the last. When a test
 * failed, the daemon's log is printed.
 */
export function sandbox(options: { env?: NodeJS.ProcessEnv; start?: boolean } = {}): Sandbox {
  const box = new Sandbox(options.env);
  let failed = false;
  before(async () => {
    if (options.start) await box.start();
  });
  afterEach((context) => {
    if ("passed" in context && !context.passed) failed = true;
  });
  after(async () => {
    const logs = box.logs();
    try {
      await box.close();
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (failed) process.stderr.write(`${logs}\n`);
    }
  });
  return box;
}
