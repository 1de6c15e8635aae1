import { createHash } from "node:crypto";
import { SampanError } from "../../errors/index.ts";
import type { BindMount, Mount, OwnFile } from "../../runtime/types.ts";
import type { HeldMount } from "../cache/mounts.ts";
import type { PlannedClientMount, PlannedMount, RunVertex } from "../plan/types.ts";
import { layersMount } from "./bind-layers.ts";
import type { StepInputs } from "./copy.ts";
import type { Job } from "./job.ts";
import { contentKey, copyPart } from "./mount-sources.ts";

/** What a RUN sees beside its file system. */
export interface OpenMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[];
  readonly files: readonly OwnFile[];
  readonly env: readonly string[];
}

/** What the mounts of a RUN add to its key: the content of binds; of caches, secrets and agents only that they are there. */
export async function mountKeys(job: Job, { mounts }: RunVertex, inputs: StepInputs): Promise<unknown[]> {
  return await Promise.all(
    mounts.map(async (mount) => {
      if (mount.type !== "bind") return { ...mount, begin: undefined };
      const { type, target, readOnly, source, from } = mount;
      return { type, target, readOnly, source, content: await contentKey(job, { from, source }, inputs) };
    }),
  );
}

/** What of its mounts is not in the key of a RUN: the content of secrets, whose agents, and what empty caches begin with. */
export async function circumstancesOf(job: Job, { mounts }: RunVertex, inputs: StepInputs): Promise<unknown[]> {
  return await Promise.all(
    mounts.map(async (mount) => {
      switch (mount.type) {
        case "secret":
          return createHash("sha256")
            .update(job.secrets.get(mount.id) ?? "")
            .digest("hex");
        case "ssh":
          return job.agents.get(mount.id);
        case "cache":
          return mount.begin && (await contentKey(job, mount.begin, inputs));
        default:
          return undefined;
      }
    }),
  );
}

/** Makes everything that a RUN mounts; the answer must be disposed of once it has ended. */
export async function openMounts(job: Job, vertex: RunVertex, inputs: StepInputs): Promise<OpenMounts> {
  const opening = new Opening(job, inputs);
  try {
    await opening.takeCaches(vertex.mounts);
    for (const mount of vertex.mounts) await opening.add(mount);
    return opening;
  } catch (error) {
    await opening[Symbol.asyncDispose]();
    throw error;
  }
}

class Opening implements OpenMounts {
  readonly mounts: Mount[] = [];
  readonly files: OwnFile[] = [];
  readonly env: string[] = [];
  readonly #job: Job;
  readonly #inputs: StepInputs;
  readonly #closing = new AsyncDisposableStack();
  /** By id. */
  readonly #caches = new Map<string, HeldMount>();
  #agents = 0;

  constructor(job: Job, inputs: StepInputs) {
    this.#job = job;
    this.#inputs = inputs;
  }

  /** In the order of ids, and each once: commands that want the same locked ones never wait for each other in a circle. */
  async takeCaches(mounts: readonly PlannedMount[]): Promise<void> {
    const caches = mounts.filter((mount) => mount.type === "cache");
    for (const mount of caches.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      if (this.#caches.has(mount.id)) continue;
      const held = await this.#job.mounts.take(mount, this.#job.signal, async (directory) => {
        const { hold, imported, signal } = this.#job;
        const brought = await imported.fillMount(mount.id, directory, { hold, step: this.#inputs.id, signal });
        if (brought === undefined && mount.begin !== undefined)
          await copyPart(this.#job, mount.begin, this.#inputs, directory);
        return brought;
      });
      this.#closing.defer(() => held.release());
      this.#caches.set(mount.id, held);
    }
  }

  async add(mount: PlannedMount): Promise<void> {
    switch (mount.type) {
      case "tmpfs":
        this.mounts.push({
          type: "tmpfs",
          target: mount.target,
          readOnly: mount.readOnly,
          mode: 0o1777,
          exec: true,
          suid: false,
          dev: false,
          ...(mount.size !== undefined && { size: mount.size }),
        });
        return;
      case "secret":
        return this.#secret(mount);
      case "ssh":
        return this.#agent(mount);
      case "cache":
        return this.#cache(mount);
      case "bind": {
        const means = { inputs: this.#inputs, closing: this.#closing };
        this.mounts.push(await layersMount(this.#job, mount, means));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }

  #secret({ id, target, env, required, mode, uid, gid }: PlannedClientMount): void {
    const data = this.#job.secrets.get(id);
    if (data === undefined) {
      if (required) throw new SampanError("invalid", `secret ${id}: not found`);
      return;
    }
    if (env !== undefined) this.env.push(`${env}=${Buffer.from(data).toString()}`);
    if (target !== undefined) this.files.push({ target, text: "", readOnly: true, secret: { data, uid, gid, mode } });
  }

  #agent({ id, target, required }: PlannedClientMount): void {
    const source = this.#job.agents.get(id);
    if (source === undefined) {
      if (required) throw new SampanError("invalid", `unset ssh forward key ${id}`);
      return;
    }
    const socket = target ?? `/run/buildkit/ssh_agent.${this.#agents++}`;
    this.mounts.push(bind({ source, target: socket, readOnly: false, isDirectory: false }));
    if (!this.env.some((text) => text.startsWith("SSH_AUTH_SOCK="))) this.env.push(`SSH_AUTH_SOCK=${socket}`);
  }

  #cache({ id, target, readOnly }: Extract<PlannedMount, { type: "cache" }>): void {
    const source = this.#caches.get(id)?.directory;
    if (source !== undefined) this.mounts.push(bind({ source, target, readOnly, isDirectory: true }));
  }
}

function bind(mount: { source: string; target: string; readOnly: boolean; isDirectory: boolean }): BindMount {
  const { source, target, readOnly, isDirectory } = mount;
  const how = { recursive: false, propagation: "rprivate" } as const;
  return { type: "bind", source, target, readOnly, sourceIsDirectory: isDirectory, ...how };
}
