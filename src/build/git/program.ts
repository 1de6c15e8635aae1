import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { findProgram, searchPath } from "../../images/find-program.ts";
import { startBound } from "../../kernel/bound-process.ts";
import type { Executor } from "../../kernel/executor.ts";
import type { AuthHeader } from "./credentials.ts";
import { failureOf } from "./errors.ts";

/** What git may use, and who hears of it. */
export interface GitSurroundings {
  readonly executor: Executor;
  readonly signal: AbortSignal;
  /** As messages name the repository. */
  readonly shown: string;
  readonly auth: readonly AuthHeader[];
  /** The socket of an ssh agent. */
  readonly agent: string | undefined;
  /** Told of what git says about its progress, by lines. */
  tell(line: string): void;
}

/** Bytes of output, and of complaints, that are believed. */
const mostOutput = 4 * 1024 * 1024;
const mostComplaint = 16 * 1024;

/**
 * What a repository could lead git to, and what of it is settled here: no hooks, nothing that goes on in the background, no
 * programs for credentials. (Filters and the like are only in configurations, and none is read.)
 */
const settings = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.logAllRefUpdates=false",
  "credential.helper=",
  "gc.auto=0",
  "maintenance.auto=false",
  "advice.detachedHead=false",
  "init.defaultBranch=master",
  "fetch.recurseSubmodules=false",
  // A server that has fallen silent for five minutes is given up, as other downloads are.
  "http.lowSpeedLimit=1",
  "http.lowSpeedTime=300",
];

/** The keys and the machine's own ssh configuration are not the build's: only its agent is asked. */
const ssh = [
  "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=none -o StrictHostKeyChecking=yes -o ForwardAgent=no",
  "-o ConnectTimeout=60 -o ServerAliveInterval=60",
].join(" ");

/** Of the daemon's own environment: the way out, and whom to trust. */
const inherited = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"];

/** The machine's `git`, called as a program. It asks nobody, reads no configuration, and ends when the signal fires and with the daemon. */
export class Git {
  readonly #surroundings: GitSurroundings;
  readonly #program: string;
  #hides: Promise<void> | undefined;

  /** Kind "unsupported" where the machine has no git. */
  constructor(surroundings: GitSurroundings) {
    const program = findProgram("git");
    if (program === undefined) {
      const why =
        "there is no git on the daemon's machine; install it, or clone the repository and build the directory";
      throw new SampanError("unsupported", `Cannot fetch ${surroundings.shown}: ${why}`);
    }
    this.#surroundings = surroundings;
    this.#program = program;
  }

  /** Runs `git ARGS…` in a directory, and answers its output. */
  async run(directory: string, args: readonly string[]): Promise<string> {
    const { signal, auth, shown } = this.#surroundings;
    if (signal.aborted) throw cancelled(signal);
    if (auth.length > 0) {
      this.#hides ??= this.#knowsHiddenSettings(directory);
      await this.#hides;
    }
    // Headers go along when a server redirects, to whomever it says.
    const all = auth.length > 0 ? [...settings, "http.followRedirects=false"] : settings;
    const { status, output, complaint } = await this.#run(directory, [...all.flatMap((one) => ["-c", one]), ...args]);
    if (signal.aborted) throw cancelled(signal);
    if (status !== 0) throw failureOf(complaint, { shown, hasAuth: auth.length > 0 });
    return output;
  }

  /** Settings in the environment, where only the same user sees them, came with git 2.31; before, they say nothing. */
  async #knowsHiddenSettings(directory: string): Promise<void> {
    const { output } = await this.#run(directory, ["version"]);
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(output) ?? []).map(Number);
    if (major > 2 || (major === 2 && minor >= 31)) return;
    const why = `${output.trim()} cannot keep credentials to itself, git 2.31 can`;
    throw new SampanError("unsupported", `Cannot fetch ${this.#surroundings.shown} with credentials: ${why}`);
  }

  async #run(cwd: string, args: readonly string[]) {
    const { executor, signal, tell, shown } = this.#surroundings;
    const git = { path: this.#program, argv: ["git", ...args], env: environmentOf(this.#environment(cwd)), cwd };
    const child = await startBound(executor, { purpose: `fetch ${shown}`, ...git });
    const end = () => child.kill();
    signal.addEventListener("abort", end, { once: true });
    const output = collect(child.stdout, mostOutput, end);
    const complaint = new Complaint(tell);
    child.stderr.on("data", (chunk: Buffer) => complaint.add(chunk.toString()));
    try {
      if (signal.aborted) end();
      // All that hold its output have ended with it.
      const [status] = await Promise.all([child.ended, read(child.stdout), read(child.stderr)]);
      return { status, output: output(), complaint: complaint.text };
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  #environment(cwd: string): NodeJS.ProcessEnv {
    const { auth, agent } = this.#surroundings;
    const names = inherited.flatMap((name) => [name, name.toLowerCase()]);
    const hidden = auth.flatMap(({ scope, header }, index) => [
      [`GIT_CONFIG_KEY_${index}`, `http.${scope}.extraHeader`],
      [`GIT_CONFIG_VALUE_${index}`, header],
    ]);
    return {
      ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
      PATH: searchPath(),
      LC_ALL: "C",
      HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      // Nothing is put into a new `.git`, no hooks above all.
      GIT_TEMPLATE_DIR: "",
      GIT_TERMINAL_PROMPT: "0",
      // Neither files of this machine nor programs ("ext::"), whatever submodules say.
      GIT_ALLOW_PROTOCOL: "https:http:ssh:git",
      GIT_CEILING_DIRECTORIES: cwd,
      GIT_SSH_COMMAND: ssh,
      SSH_AUTH_SOCK: agent,
      ...(auth.length > 0 && { GIT_CONFIG_COUNT: String(auth.length), ...Object.fromEntries(hidden) }),
    };
  }
}

function environmentOf(variables: NodeJS.ProcessEnv): string[] {
  return Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** To its end, whatever that is like: how the process ends tells more. */
async function read(stream: Socket): Promise<void> {
  await finished(stream, { writable: false }).catch(() => undefined);
  stream.destroy();
}

function collect(stream: NodeJS.ReadableStream, most: number, overflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > most) overflow();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** What of git's talk people want to see while it works; how it fails is told in the end. */
const progress = /^(?:remote: |Receiving|Resolving|Updating|Unpacking|Cloning|Submodule)/;

/** What git writes to stderr: progress that overwrites itself, and why it fails. */
class Complaint {
  readonly #tell: (line: string) => void;
  #line = "";
  #kept = "";

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  get text(): string {
    return `${this.#kept}${this.#line}`;
  }

  add(chunk: string): void {
    const lines = `${this.#line}${chunk}`.slice(-mostComplaint).split("\n");
    // Of a line that was written several times only the last version counts.
    this.#line = (lines.pop() ?? "").split("\r").at(-1) ?? "";
    for (const written of lines) {
      const line = (written.split("\r").findLast((part) => part.trim() !== "") ?? "")
        .replaceAll(/\p{Cc}/gu, "")
        .trimEnd();
      if (line === "") continue;
      this.#kept = `${this.#kept}${line}\n`.slice(-mostComplaint);
      if (progress.test(line)) this.#tell(line);
    }
  }
}
