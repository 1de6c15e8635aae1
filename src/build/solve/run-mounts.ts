import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { BindMount, Mount, OwnFile } from "../../runtime/types.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import { removeTree } from "../../storage/unpack/remove-tree.ts";
import { type HeldMount, scratchName } from "../cache/mounts.ts";
import { Destination } from "../files/destination.ts";
import { findSources } from "../files/find.ts";
import type { PlannedClientMount, PlannedMount, RunVertex, VertexId } from "../plan/types.ts";
import type { StepInputs } from "./copy.ts";
import type { Job } from "./job.ts";
import { identityOf } from "./stack.ts";
import { timeOf } from "./time.ts";
import { type OpenTree, stackTree } from "./trees.ts";

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

interface Part {
  readonly from: VertexId;
  readonly source: string;
}

async function contentKey(job: Job, part: Part, inputs: StepInputs): Promise<string> {
  const context = contextOf(job, part.from);
  if (context === undefined) return identityOf(await inputs.stackOfVertex(part.from));
  const [found] = await findSources(context.tree, part.source);
  return found === undefined ? "" : await context.tree.hash({ path: found.path, as: "", excludes: () => false });
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
        if (mount.begin !== undefined) await this.#fill(mount.begin, directory);
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
        const { directory, name, isDirectory } = await this.#copyOf(mount);
        const source = name === "" ? directory : join(directory, name);
        this.mounts.push(bind({ source, target: mount.target, readOnly: mount.readOnly, isDirectory }));
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

  /** A copy of what a bind shows: what a RUN writes there is thrown away with it. */
  async #copyOf(part: Part): Promise<{ directory: string; name: string; isDirectory: boolean }> {
    const directory = join(this.#job.scratch, scratchName());
    await mkdir(directory, { recursive: true });
    this.#closing.defer(() => removeTree(this.#job.parts.executor, directory));
    const name = await this.#fill(part, directory);
    return { directory, name: name ?? "", isDirectory: name === undefined };
  }

  /** Copies into an empty directory; answers the name when it is a file. */
  async #fill({ from, source }: Part, directory: string): Promise<string | undefined> {
    await using opened = await this.#open(from);
    const [found] = await findSources(opened.tree, source);
    if (found === undefined) throw new SampanError("not-found", `Cannot mount ${source}: there is no such file`);
    const purpose = `copy what is mounted from ${source}`;
    const session = await openDirectoryTree(this.#job.parts.executor, purpose, directory);
    try {
      const keep = { owner: undefined, mode: (mode: number) => mode };
      const to = new Destination(session, purpose, keep, timeOf(this.#job));
      const as = found.stat.type === "directory" ? "" : "file";
      await to.write("/", (sink) => opened.tree.copy({ path: found.path, as, excludes: () => false }, sink));
      return as === "" ? undefined : as;
    } finally {
      session.close();
    }
  }

  async #open(from: VertexId): Promise<OpenTree> {
    return contextOf(this.#job, from) ?? (await stackTree(this.#job, await this.#inputs.stackOfVertex(from)));
  }
}

function contextOf(job: Job, id: VertexId): OpenTree | undefined {
  const vertex = job.plan.vertices[id];
  if (vertex?.kind !== "context") return undefined;
  const tree = job.contexts.get(vertex.name);
  if (tree === undefined) throw new SampanError("invalid", "Cannot mount a build context: there is none");
  return { tree, async [Symbol.asyncDispose]() {} };
}

function bind(mount: { source: string; target: string; readOnly: boolean; isDirectory: boolean }): BindMount {
  const { source, target, readOnly, isDirectory } = mount;
  const how = { recursive: false, propagation: "rprivate" } as const;
  return { type: "bind", source, target, readOnly, sourceIsDirectory: isDirectory, ...how };
}
