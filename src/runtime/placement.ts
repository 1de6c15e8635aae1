import type { Cgroups } from "../cgroups/types.ts";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { ContainerSpec } from "./types.ts";

/**
 * How a container gets into its cgroup. On v2 it is born there (CLONE_INTO_CGROUP). On v1, where a cgroup is a directory
 * in each of nine hierarchies, the parent makes them while the child already builds its root on the other processor:
 *
 *     parent: before ── clone ── after: make the cgroups, tell the child
 *     child:                └── … mounts … enter: wait for that, move in, take the cgroup namespace
 */
export class Placement {
  readonly #p: Program;
  readonly #cgroups: Cgroups;
  readonly #spec: ContainerSpec;
  #gate: ReturnType<Program["pair"]> | undefined;

  constructor(p: Program, cgroups: Cgroups, spec: ContainerSpec) {
    this.#p = p;
    this.#cgroups = cgroups;
    this.#spec = spec;
  }

  /** In the parent, before the clone; what it returns is for `clone`. */
  before(): Slot | undefined {
    if (this.#cgroups.version === "v2") {
      this.#cgroups.create(this.#p, this.#spec.cgroupPath, this.#spec.resources);
      return this.#cgroups.bornIn(this.#p, this.#spec.cgroupPath);
    }
    this.#gate = this.#p.pair("gate");
    this.#p.call("pipe2", [this.#gate.address, named(f.O_CLOEXEC, "O_CLOEXEC")], {
      note: "make a pipe that tells when its cgroups are there",
    });
    return undefined;
  }

  /** In the child, before anything that shows cgroups. */
  enter(): void {
    if (this.#gate) {
      const { first, second } = this.#gate;
      this.#p.call("close", [second], { note: "hear it if the parent dies" });
      this.#p.call("read", [first, this.#p.buffer(8, "byte"), 1], {
        note: "wait until its cgroups are there",
        full: true,
      });
    }
    this.#cgroups.enter(this.#p, this.#spec.cgroupPath);
    if (this.#spec.namespaces.cgroup !== "new") return;
    this.#p.call("unshare", [named(f.CLONE_NEWCGROUP, "CLONE_NEWCGROUP")], {
      note: "see this cgroup as the root of all",
    });
  }

  /** In the parent, after the clone. */
  after(): void {
    if (!this.#gate) return;
    this.#cgroups.create(this.#p, this.#spec.cgroupPath, this.#spec.resources);
    const { first, second } = this.#gate;
    this.#p.call("write", [second, this.#p.text("."), 1], { note: "let the child move in" });
    for (const end of [first, second]) this.#p.call("close", [end], { note: "the pipe has served" });
  }
}
