import { SampanError } from "../errors/index.ts";
import type { Program } from "../kernel/program.ts";
import { unsupported } from "./available.ts";
import { readText, writeText } from "./files.ts";
import { type Current, fresh, type Write } from "./limits.ts";
import { limitsV1 } from "./limits-v1.ts";
import { type Machine, MachineCgroups } from "./machine.ts";
import { moveSelf } from "./steps.ts";
import type { CgroupPath, CgroupSupport, Resources, Usage } from "./types.ts";
import { readUsageV1 } from "./usage-v1.ts";

/** A hierarchy per controller, each with a directory for the container; a process is moved into every one. */
export class CgroupsV1 extends MachineCgroups {
  readonly version = "v1";
  readonly support: CgroupSupport;
  protected readonly oomFile = "memory.oom_control";
  readonly #mounts: ReadonlyMap<string, string>;

  constructor(machine: Machine) {
    super(machine);
    this.#mounts = new Map(
      machine.layout.hierarchies.flatMap(({ controllers, mountPoint }) =>
        controllers.map((name) => [name, mountPoint] as const),
      ),
    );
    const has = (controller: string, file: string) => this.available.has(controller, file);
    this.support = {
      memory: has("memory", "memory.limit_in_bytes"),
      memoryReservation: has("memory", "memory.soft_limit_in_bytes"),
      swap: has("memory", "memory.memsw.limit_in_bytes"),
      swappiness: has("memory", "memory.swappiness"),
      oomKillDisable: has("memory", "memory.oom_control"),
      cpuShares: has("cpu", "cpu.shares"),
      cpuQuota: has("cpu", "cpu.cfs_quota_us"),
      cpuIdle: has("cpu", "cpu.idle"),
      cpuset: has("cpuset", "cpuset.cpus"),
      pids: has("pids", "pids.max"),
      blkioWeight: has("blkio", "blkio.weight") || has("blkio", "blkio.bfq.weight"),
      blkioThrottle: has("blkio", "blkio.throttle.read_bps_device"),
      devices: has("devices", "devices.allow"),
      freezer: has("freezer", "freezer.state"),
    };
  }

  bornIn(): undefined {
    return undefined;
  }

  enter(program: Program, path: CgroupPath): void {
    program.in("cgroup", () => {
      for (const { mountPoint, directory } of this.layout.hierarchies) {
        moveSelf(program, mountPoint + path, `move into the cgroup in hierarchy ${directory}`);
      }
    });
  }

  usage(path: CgroupPath): Usage {
    const usage = readUsageV1((controller) => this.directory(controller, path));
    if (usage.memory ?? usage.cpu ?? usage.pids) return usage;
    throw new SampanError("not-found", `Cannot read the usage of cgroup ${path}: it does not exist`);
  }

  frozen(path: CgroupPath): boolean {
    const directory = this.directory("freezer", path);
    return directory !== undefined && readText(`${directory}/freezer.state`)?.trim() === "FROZEN";
  }

  async kill(path: CgroupPath): Promise<void> {
    await this.killFrozen(path);
  }

  protected limits(resources: Resources, current: Current = fresh): Write[] {
    return limitsV1(resources, this.available, current);
  }

  protected finish(): void {}

  protected directory(controller: string, path: CgroupPath): string | undefined {
    const mountPoint = this.#mounts.get(controller);
    return mountPoint === undefined ? undefined : mountPoint + path;
  }

  protected setFrozen(path: CgroupPath, frozen: boolean): void {
    const directory = this.directory("freezer", path);
    if (directory === undefined)
      throw unsupported("freeze processes", "freezer", this.available.missing("freezer") ?? "");
    writeText(`${directory}/freezer.state`, frozen ? "FROZEN" : "THAWED");
  }
}
