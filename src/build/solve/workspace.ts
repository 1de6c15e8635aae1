import { randomBytes } from "node:crypto";
import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { storeLayerBlob } from "../../images/create/layer-blob.ts";
import type { Hold } from "../../images/garbage.ts";
import { named } from "../../kernel/block.ts";
import type { Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { isolateMounts, mountRoot } from "../../runtime/rootfs.ts";
import type { RootFilesystem } from "../../runtime/types.ts";
import { openDirectoryTree, openTree } from "../../storage/pack/open.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import type { LayerRef } from "../../storage/snapshots/types.ts";
import type { WorkParts } from "../parts.ts";
import { type BuiltLayer, type Stack, stackOf } from "./stack.ts";
import { unpackLayer } from "./unpack-layer.ts";

/** A writable layer on a stack, while a step works in it. */
export class Workspace implements AsyncDisposable {
  /** Of its snapshot; also that of the container of a RUN. */
  readonly id = randomBytes(32).toString("hex");
  readonly #parts: WorkParts;
  readonly #stack: Stack;

  private constructor(parts: WorkParts, stack: Stack) {
    this.#parts = parts;
    this.#stack = stack;
  }

  static async open(parts: WorkParts, stack: Stack): Promise<Workspace> {
    const workspace = new Workspace(parts, stack);
    await parts.snapshots.prepare(workspace.id, workspace.#lower);
    return workspace;
  }

  /** A process that is shut up in the file system: what is written there is written to the new layer. */
  async enter(purpose: string): Promise<Session> {
    const { executor, kernel } = this.#parts;
    if (this.#lower.length === 0) return await openDirectoryTree(executor, purpose, this.#upper);
    return await openTree(executor, purpose, (p) => {
      p.call("unshare", [named(f.CLONE_NEWNS, "CLONE_NEWNS")], { note: "mount where nobody sees it" });
      isolateMounts(p);
      return mountRoot(p, this.root({ bare: true }), kernel);
    });
  }

  /** A process that is shut up in the new layer alone. */
  async enterLayer(purpose: string): Promise<Session> {
    return await openDirectoryTree(this.#parts.executor, purpose, this.#upper);
  }

  /** `bare`: without what every container has beyond its image. */
  root(options: { readonly bare: boolean }): RootFilesystem {
    const { snapshots, layout } = this.#parts;
    const overlay = snapshots.mounts(this.id, this.#lower, options)[0];
    const { lower = [], upper = "throw-away", prepared = [], options: more = [] } = overlay ?? {};
    return { lower, upper, prepared, options: more, mountPoint: join(layout.run, "rootfs"), readOnly: false };
  }

  /**
   * Makes the new layer one of the layer store, packed and hashed in one pass. Nobody may work in it any more. `latest`:
   * seconds since 1970; whatever in it is newer is from then afterwards.
   */
  async commit(hold: Hold, signal: AbortSignal, latest?: number): Promise<Stack> {
    const { tools } = this.#parts;
    const session = await this.enterLayer("read the layer of a build step");
    let layer: BuiltLayer;
    try {
      const reader = new TreeReader(session, "read the layer of a build step");
      const options = { from: "", as: "", withTop: false, entersMount: () => false, isUpper: true, latest };
      const blob = await storeLayerBlob(tools, hold, packTree(reader, options), signal);
      layer = { diffId: blob.diffId, digest: blob.digest, size: blob.size, mediaType: blob.mediaType };
    } finally {
      session.close();
    }
    const stack = stackOf([...this.#stack.layers, layer]);
    const chainId = stack.chains.at(-1);
    if (chainId === undefined) return stack;
    await tools.garbage.add(hold, [], [chainId]);
    if (latest === undefined) await tools.layers.adopt({ chainId, directory: this.#upper });
    else await unpackLayer(tools, stack);
    return stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { snapshots, layout, log } = this.#parts;
    try {
      await snapshots.remove(this.id);
      rmdirSync(join(layout.containers, this.id));
    } catch (error) {
      log.warn({ error, step: this.id }, "files of a build step are left until the next start");
    }
  }

  get #lower(): readonly LayerRef[] {
    return this.#stack.host ? ["host"] : this.#stack.chains;
  }

  get #upper(): string {
    return this.#parts.snapshots.upper(this.id);
  }
}
