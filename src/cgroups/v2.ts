import { SampanError } from "../errors/index.ts";
import type { Slot } from "../kernel/block.ts";
import type { Program } from "../kernel/program.ts";
import { unsupported } from "./available.ts";
import { attachDeviceProgram } from "./device-program.ts";
import { allowsAll } from "./devices.ts";
import { errnoOf, parseFlat, readText, writeText } from "./files.ts";
import { type Current, fresh, type Write } from "./limits.ts";
import { limitsV2 } from "./limits-v2.ts";
import { type Machine, MachineCgroups } from "./machine.ts";
import { openDirectory } from "./steps.ts";
import type { CgroupPath, CgroupSupport, Resources, Usage } from "./types.ts";
import { readUsageV2 } from "./usage-v2.ts";

/** One hierarchy for everything; a process is born where it belongs. Without any hierarchy nothing can be limited. */
export class CgroupsV2 extends MachineCgroups {
  readonly version = "v2";
  readonly support: CgroupSupport;
  protected readonly oomFile = "memory.events";
  readonly #mountPoint: string | undefined;

  constructor(machine: Machine) {
    super(machine);
    this.#mountPoint = machine.layout.hierarchies[0]?.mountPoint;
    const has = (controller: string, file: string) => this.available.has(controller, file);
    const root = process.geteuid?.() === 0;
    this.support = {
      memory: has("memory", "memory.max"),
      memoryReservation: has("memory", "memory.low"),
      swap: has("memory", "memory.swap.max"),
      swappiness: false,
      oomKillDisable: false,
      cpuShares: has("cpu", "cpu.weight"),
      cpuQuota: has("cpu", "cpu.max"),
      cpuIdle: has("cpu", "cpu.idle"),
      cpuset: has("cpuset", "cpuset.cpus"),
      pids: has("pids", "pids.max"),
      blkioWeight: has("io", "io.bfq.weight") || has("io", "io.weight"),
      blkioThrottle: has("io", "io.max"),
      devices: this.#mountPoint !== undefined && root,
      freezer: has("cgroup", "cgroup.freeze"),
    };
  }

  bornIn(program: Program, path: CgroupPath, init?: number): Slot | undefined {
    if (this.#mountPoint === undefined) return undefined;
    const place = this.#mountPoint + (init === undefined ? path : placeOf(init, path));
    return program.in("cgroup", () => openDirectory(program, place, "find the cgroup to be born in"));
  }

  enter(): void {}

  usage(path: CgroupPath): Usage {
    const usage = readUsageV2(`${this.#mountPoint}${path}`);
    if (usage.cpu) return usage;
    throw new SampanError("not-found", `Cannot read the usage of cgroup ${path}: it does not exist`);
  }

  frozen(path: CgroupPath): boolean {
    return parseFlat(readText(`${this.#mountPoint}${path}/cgroup.events`)).frozen === 1;
  }

  async kill(path: CgroupPath): Promise<void> {
    try {
      // Linux 5.14: atomic, forks are killed as they appear.
      writeText(`${this.#mountPoint}${path}/cgroup.kill`, "1");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      await this.killFrozen(path);
    }
  }

  protected limits(resources: Resources, current: Current = fresh): Write[] {
    return limitsV2(resources, this.available, current);
  }

  protected finish(program: Program, path: CgroupPath, { devices }: Resources): void {
    if (devices === undefined || allowsAll(devices)) return;
    if (this.#mountPoint === undefined)
      throw unsupported("restrict devices", "devices", this.available.missing("devices") ?? "");
    if (!this.support.devices)
      throw unsupported("restrict devices", "devices", "its eBPF program needs root (CAP_BPF)");
    const options = { readable: true }; // bpf(2) takes no O_PATH descriptor
    const fd = openDirectory(program, this.#mountPoint + path, "find its cgroup", options);
    attachDeviceProgram(program, fd, devices);
    program.call("close", [fd], { note: "done with its cgroup" });
  }

  protected directory(controller: string, path: CgroupPath): string | undefined {
    if (this.#mountPoint === undefined || this.available.missing(controller) !== undefined) return undefined;
    return this.#mountPoint + path;
  }

  protected setFrozen(path: CgroupPath, frozen: boolean): void {
    if (!this.support.freezer) throw unsupported("freeze processes", "cgroup", "there is no cgroup.freeze");
    writeText(`${this.#mountPoint}${path}/cgroup.freeze`, frozen ? "1" : "0");
  }
}

/**
 * Where a container's first process is: an init that arranges cgroups of its own (systemd) has left the one we made, and
 * no process may be in it any more (cgroups(7), "no internal processes").
 */
function placeOf(init: number, path: CgroupPath): CgroupPath {
  const own = /^0::(.*)$/m.exec(readText(`/proc/${init}/cgroup`) ?? "")?.[1];
  return own?.startsWith(`${path}/`) ? own : path;
}
