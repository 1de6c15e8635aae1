import type { Cgroups } from "../cgroups/types.ts";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { ContainerSpec } from "./types.ts";

/** What of a container says where it belongs. */
export interface Placed extends Pick<ContainerSpec, "cgroupPath" | "resources"> {
  readonly namespaces: { readonly cgroup: unknown };
  readonly connect?: unknown;
}

/**
 * How a container gets into its cgroup, and when. On v2 it is born there (CLONE_INTO_CGROUP). On v1, where a cgroup is a directory
 * in each of nine hierarchies, the parent makes them while the child already builds its root on the other processor:
 *
 *     parent: before ── clone ── after: make the cgroups, tell the child
 *     child:                └── … mounts … enter: wait for that, move in, take the cgroup namespace
 *
 * The same pipe tells a child that has a network when that is connected.
 */
export class Placement {
  readonly #p: Program;
  readonly #cgroups: Cgroups;
  readonly #spec: Placed;
  #gate: ReturnType<Program["pair"]> | undefined;
  #made = false;

  constructor(p: Program, cgroups: Cgroups, spec: Placed) {
    this.#p = p;
    this.#cgroups = cgroups;
    this.#spec = spec;
  }

  /**
   * In the parent, before the clone; what it returns is for `clone`. With `complete` the cgroups are made now on v1 too: the
   * parent has no right to later.
   */
  before(options: { readonly complete: boolean } = { complete: false }): Slot | undefined {
    const bornThere = this.#cgroups.version === "v2";
    if (!bornThere || this.#spec.connect) this.#openGate();
    if (bornThere || options.complete) this.#create();
    if (!bornThere) return undefined;
    return this.#cgroups.bornIn(this.#p, this.#spec.cgroupPath);
  }

  /** In the child, before anything that shows cgroups. */
  enter(): void {
    if (this.#gate) this.#p.call("close", [this.#gate.second], { note: "hear it if the parent dies" });
    if (this.#cgroups.version !== "v2") this.#wait("wait until its cgroups are there");
    this.#cgroups.enter(this.#p, this.#spec.cgroupPath);
    if (this.#spec.namespaces.cgroup !== "new") return;
    this.#p.call("unshare", [named(f.CLONE_NEWCGROUP, "CLONE_NEWCGROUP")], {
      note: "see this cgroup as the root of all",
    });
  }

  /** In the parent, after the clone. */
  after(): void {
    if (this.#cgroups.version === "v2") return;
    if (!this.#made) this.#create();
    this.#tell("let the child move in");
    if (!this.#spec.connect) this.#closeGate();
  }

  /** In the parent, once the container's network is complete. */
  connected(): void {
    this.#tell("let the child know that its network is complete");
    this.#closeGate();
  }

  /** In the child, before its program runs. */
  awaitNetwork(): void {
    this.#wait("wait until its network is complete");
  }

  #create(): void {
    this.#cgroups.create(this.#p, this.#spec.cgroupPath, this.#spec.resources);
    this.#made = true;
  }

  #openGate(): void {
    this.#gate = this.#p.pair("gate");
    this.#p.call("pipe2", [this.#gate.address, named(f.O_CLOEXEC, "O_CLOEXEC")], {
      note: "make a pipe that tells the child when it may go on",
    });
  }

  #wait(note: string): void {
    if (!this.#gate) return;
    this.#p.call("read", [this.#gate.first, this.#p.buffer(8, "byte"), 1], { note, full: true });
  }

  #tell(note: string): void {
    if (this.#gate) this.#p.call("write", [this.#gate.second, this.#p.text("."), 1], { note });
  }

  #closeGate(): void {
    if (!this.#gate) return;
    for (const end of [this.#gate.first, this.#gate.second]) {
      this.#p.call("close", [end], { note: "the pipe has served" });
    }
  }
}
