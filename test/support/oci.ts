import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { type Finished, type RunOptions, runProgram, succeed } from "./process.ts";
import { program } from "./requires.ts";

export const sampanRuntime: string = resolve(import.meta.dirname, "../../bin/sampan-runtime");

/** config.json as tests change it. */
export interface TestConfig {
  process: Record<string, unknown> & { args: string[] };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  linux: Record<string, unknown> & { namespaces: { type: string; path?: string }[] };
  [field: string]: unknown;
}

/** The runtimes that scenarios run on: ours, and those that prove the scenario. */
export const runtimes: readonly { readonly name: string; readonly binary: string | undefined }[] = [
  { name: "sampan-runtime", binary: sampanRuntime },
  { name: "runc", binary: program("runc") },
  ...(isMixed() ? [] : [{ name: "crun", binary: program("crun") }]),
];

/** A machine whose controllers are partly v1's and partly v2's: crun refuses to run there. */
function isMixed(): boolean {
  const file = "/sys/fs/cgroup/unified/cgroup.controllers";
  return existsSync(file) && readFileSync(file, "utf8").trim() !== "";
}

/**
 * Bundles and containers of one OCI runtime, all below one temporary directory, and in cgroups that carry its name. A
 * test's end is `close`, which removes what is left and tells it.
 */
export class OciSandbox {
  readonly directory: string;
  readonly #binary: string;
  readonly #root: string;
  /** The name of the cgroups' parent. */
  readonly mark: string;
  #bundles = 0;

  constructor(binary: string) {
    this.directory = mkdtempSync(join(tmpdir(), "sampan-oci-"));
    this.mark = basename(this.directory);
    this.#root = join(this.directory, "state");
    this.#binary = binary;
  }

  /** How the runtime is called. */
  get command(): readonly string[] {
    return [this.#binary, "--root", this.#root];
  }

  /** Runs the runtime. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return runProgram(this.#binary, ["--root", this.#root, ...args], { cwd: this.directory, ...options });
  }

  /** Runs the runtime, which has to end with status 0; what it has written. */
  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args);
    assert.equal(status, 0, `${basename(this.#binary)} ${args.join(" ")}: status ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  /** As `ok`, of a container that is left to itself: it has no streams of ours, whose end would be waited for. */
  async detached(...args: string[]): Promise<void> {
    await this.shell(`"$@" </dev/null >/dev/null 2>"$LOG"`, ...args);
  }

  /** Runs the runtime by a line of shell, in which "$@" is its command line. */
  async shell(line: string, ...args: string[]): Promise<string> {
    const env = { ...process.env, LOG: join(this.directory, "stderr") };
    const words = ["-c", line, "sh", this.#binary, "--root", this.#root, ...args];
    const { status, stdout } = await runProgram("sh", words, { cwd: this.directory, env });
    const said = existsSync(env.LOG) ? readFileSync(env.LOG, "utf8") : "";
    assert.equal(status, 0, `${basename(this.#binary)} ${args.join(" ")}: status ${status}: ${said}`);
    return stdout;
  }

  /** A bundle with busybox, whose config.json is the runtime's own `spec` without a terminal, changed by `change`. */
  async bundle(change: (config: TestConfig) => void): Promise<string> {
    const path = join(this.directory, `bundle${++this.#bundles}`);
    await makeRoot(join(path, "rootfs"));
    await succeed(program("runc") ?? this.#binary, ["spec", "--bundle", path]);
    const file = join(path, "config.json");
    const config = JSON.parse(readFileSync(file, "utf8")) as TestConfig;
    config.process.terminal = false;
    config.process.cwd = "/";
    config.linux.cgroupsPath = `/${this.mark}/bundle${this.#bundles}`;
    change(config);
    writeFileSync(file, JSON.stringify(config));
    return path;
  }

  /** What `state` tells. */
  async state(
    id: string,
  ): Promise<{ status: string; pid: number; bundle: string; annotations?: Record<string, string> }> {
    return JSON.parse(await this.ok("state", id));
  }

  /** Removes all; the answer is what should not have been there: containers, cgroups, mounts. */
  async close(): Promise<string[]> {
    const ids = existsSync(this.#root) ? (await this.ok("list", "-q")).split("\n").filter(Boolean) : [];
    for (const id of ids) await this.run(["delete", "--force", id]);
    const cgroups = globSync(`/sys/fs/cgroup/{${this.mark},*/${this.mark}}/*/`);
    for (const parent of globSync(`/sys/fs/cgroup/{${this.mark},*/${this.mark}}`)) {
      if (cgroups.length === 0) rmdirSync(parent);
    }
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(this.mark));
    if (mounts.length === 0) rmSync(this.directory, { recursive: true });
    return [...ids, ...cgroups, ...mounts];
  }
}

async function makeRoot(root: string): Promise<void> {
  const binary = program("busybox") ?? "/bin/busybox";
  for (const name of ["bin", "dev", "etc", "proc", "sys", "tmp", "root"])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(binary, join(root, "bin/busybox"));
  const applets = (await succeed(binary, ["--list"])).split("\n").filter((name) => name !== "" && name !== "busybox");
  for (const name of applets) symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/tmp:/bin/sh\n");
}
