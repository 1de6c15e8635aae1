import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { type Cgroups, openCgroups } from "../../src/cgroups/index.ts";
import { capabilitySets, defaultCapabilities } from "../../src/kernel/capabilities.ts";
import type { Executor } from "../../src/kernel/executor.ts";
import { createRuntime, kernelFeatures } from "../../src/runtime/runtime.ts";
import type { ContainerSpec, ProcessSpec, Running, Runtime } from "../../src/runtime/types.ts";

export interface HostOptions extends Partial<Omit<ContainerSpec, "process" | "root">> {
  readonly process?: Partial<ProcessSpec>;
  readonly readOnlyRoot?: boolean;
}

/** What a container wrote and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const hidden = ["proc", "sys", "dev", "run", "tmp"];
const nodes = [
  ["null", 3],
  ["zero", 5],
  ["full", 7],
  ["random", 8],
  ["urandom", 9],
] as const;

/** Containers on the machine's own root file system, made by the runtime alone: no engine, no images. */
export class HostContainers {
  readonly runtime: Runtime;
  readonly cgroups: Cgroups;
  readonly #directory: string;
  readonly #running: { spec: ContainerSpec; running: Running }[] = [];
  #count = 0;

  constructor(executor: Executor, directory: string) {
    this.#directory = directory;
    const hash = createHash("sha256").update(directory).digest("hex").slice(0, 8);
    this.cgroups = openCgroups({ name: `sampan-${hash}` });
    this.runtime = createRuntime({ executor, cgroups: this.cgroups, kernel: kernelFeatures(release()) });
  }

  /** A container with Docker's usual confinement, except for what `options` says. */
  spec(script: string, options: HostOptions = {}): ContainerSpec {
    const id = String(++this.#count)
      .padStart(8, "0")
      .repeat(8);
    const mountPoint = join(this.#directory, `root-${this.#count}`);
    mkdirSync(mountPoint, { recursive: true });
    const { process: overrides, readOnlyRoot = false, ...rest } = options;
    return {
      id,
      process: {
        argv: ["/bin/sh", "-c", script],
        env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        cwd: "/",
        user: { uid: 0, gid: 0, additionalGids: [], home: "/root" },
        terminal: false,
        openStdin: false,
        stdinOnce: false,
        capabilities: capabilitySets(defaultCapabilities, overrides?.user?.uid ?? 0),
        noNewPrivileges: false,
        rlimits: [],
        umask: 0o022,
        ...overrides,
      },
      root: {
        lower: ["/"],
        upper: "throw-away",
        prepared: hidden.map((path) => ({ path, mode: path === "tmp" ? 0o1777 : 0o755, uid: 0, gid: 0, opaque: true })),
        mountPoint,
        readOnly: readOnlyRoot,
      },
      hostname: "boat",
      domainname: "",
      namespaces: { pid: "new", network: "new", ipc: "new", uts: "new", cgroup: "new" },
      mounts: [],
      devices: nodes.map(([name, minor]) => ({
        path: `/dev/${name}`,
        type: "c",
        major: 1,
        minor,
        mode: 0o666,
        uid: 0,
        gid: 0,
      })),
      maskedPaths: [],
      readonlyPaths: [],
      writableSys: false,
      shmSize: 64 << 20,
      sysctls: {},
      init: false,
      cgroupPath: this.cgroups.pathOf(id),
      resources: {},
      ...rest,
    };
  }

  /** Starts it with its output held back. */
  async start(spec: ContainerSpec, hold = false): Promise<Running> {
    const running = await this.runtime.start(spec, { files: this.#files(spec.id.slice(0, 8)), hold });
    this.#running.push({ spec, running });
    return running;
  }

  async run(script: string, options: HostOptions = {}): Promise<Outcome> {
    return await outcomeOf(await this.start(this.spec(script, options), true));
  }

  async exec(
    running: Running,
    spec: ContainerSpec,
    script: string,
    overrides: Partial<ProcessSpec> = {},
  ): Promise<Outcome> {
    const target = { id: spec.id, pid: running.pid, cgroupPath: spec.cgroupPath, namespaces: spec.namespaces };
    const process = { ...spec.process, argv: ["/bin/sh", "-c", script], ...overrides };
    const files = this.#files(`exec-${++this.#count}`);
    return await outcomeOf(await this.runtime.exec(target, process, { files, hold: true }));
  }

  /** Ends what a failed test left running, and removes every cgroup. */
  async close(): Promise<void> {
    for (const { spec, running } of this.#running) {
      running.release();
      running.signal(9);
      await running.exited;
      await this.cgroups.removeNow(spec.cgroupPath);
    }
    this.runtime.close();
    this.cgroups.close();
  }

  #files(name: string) {
    return { socket: join(this.#directory, `${name}.sock`), exitFile: join(this.#directory, `${name}.exit`) };
  }
}

async function outcomeOf(running: Running): Promise<Outcome> {
  const socket = await running.attach({ stdin: false, stdout: true, stderr: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => socket.once("end", resolve));
  socket.resume();
  running.release();
  const [{ code }] = await Promise.all([running.exited, ended]);
  socket.destroy();
  const text = { stdout: "", stderr: "" };
  const bytes = Buffer.concat(chunks);
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    text[bytes.readUInt8(at) === 1 ? "stdout" : "stderr"] += bytes.subarray(at + 8, at + 8 + size).toString();
    at += 8 + size;
  }
  return { code, ...text };
}
