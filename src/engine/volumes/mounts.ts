import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { mountPoints } from "../../kernel/mount-points.ts";
import { Program } from "../../kernel/program.ts";
import { localMount } from "./local-options.ts";
import type { VolumeRecord } from "./types.ts";

/**
 * Volumes whose options name a file system (tmpfs, NFS, a directory elsewhere). It is mounted at the volume's directory
 * while at least one container uses it: those that run at the same time see the same one, as with dockerd.
 */
export class VolumeMounts {
  readonly #executor: Executor;
  readonly #directoryOf: (name: string) => string;
  readonly #users = new Map<string, Set<string>>();
  /** Mounting and unmounting of one volume, one after the other. */
  readonly #work = new Map<string, Promise<void>>();

  constructor(executor: Executor, directoryOf: (name: string) => string) {
    this.#executor = executor;
    this.#directoryOf = directoryOf;
  }

  /** Mounts the volume for `user` unless it is mounted. */
  enter(volume: VolumeRecord, user: string): Promise<void> {
    return this.#inOrder(volume.name, async () => {
      const users = this.#users.get(volume.name);
      if (users === undefined || users.size === 0) await this.#mount(volume);
      this.#users.set(volume.name, (users ?? new Set()).add(user));
    });
  }

  /** A container that was found running has it: after a restart of the daemon. */
  found(name: string, user: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set()).add(user));
  }

  /** Whether it is mounted for anybody, or is about to be. */
  isUsed(name: string): boolean {
    return this.#users.has(name) || this.#work.has(name);
  }

  /** Unmounts when `user` was the last; without one, whoever uses it. */
  leave(name: string, user?: string): Promise<void> {
    return this.#inOrder(name, async () => {
      const users = this.#users.get(name);
      if (user !== undefined) users?.delete(user);
      if (user !== undefined && (users === undefined || users.size > 0)) return;
      if (users !== undefined) await this.#unmount(name);
      this.#users.delete(name);
    });
  }

  /** Unmounts what a daemon that was killed has left mounted for nobody. */
  async sweep(names: readonly string[]): Promise<void> {
    const mounted = new Set(mountPoints().map(({ point }) => point));
    for (const name of names) {
      if (!this.#users.has(name) && mounted.has(this.#directoryOf(name))) await this.#unmount(name);
    }
  }

  async #mount({ name, options }: VolumeRecord): Promise<void> {
    const mount = await localMount(options, addressOf);
    if (mount === undefined) return;
    const p = new Program(`mount volume ${name}`);
    const at = p.text(this.#directoryOf(name));
    const device = p.text(mount.device);
    // A bind takes no notice of other flags; they are set afterwards.
    const first = mount.flags & f.MS_BIND ? mount.flags & (f.MS_BIND | f.MS_REC) : mount.flags;
    p.call("mount", [device, at, p.text(mount.type), first, p.text(mount.data)], {
      note: `mount ${mount.device} of type ${mount.type}`,
    });
    if (first !== mount.flags) {
      p.call("mount", [0, at, 0, mount.flags | f.MS_REMOUNT, 0], { note: "with the flags it was asked for with" });
    }
    try {
      await this.#executor.run(p);
    } catch (cause) {
      const what = `failed to mount local volume: mount ${mount.device}:${this.#directoryOf(name)}`;
      throw new SampanError("internal", `error while mounting volume '${name}': ${what}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  async #unmount(name: string): Promise<void> {
    const p = new Program(`unmount volume ${name}`);
    p.call("umount2", [p.text(this.#directoryOf(name)), f.MNT_DETACH | f.UMOUNT_NOFOLLOW], {
      note: "let it go",
      tolerate: ["EINVAL", "ENOENT"],
    });
    await this.#executor.run(p);
  }

  #inOrder(name: string, action: () => Promise<void>): Promise<void> {
    const before = this.#work.get(name) ?? Promise.resolve();
    const mine = before.then(action, action);
    this.#work.set(name, mine);
    const forget = () => {
      if (this.#work.get(name) === mine) this.#work.delete(name);
    };
    mine.then(forget, forget);
    return mine;
  }
}

async function addressOf(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}
