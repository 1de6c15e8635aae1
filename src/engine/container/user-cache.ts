import { statSync } from "node:fs";
import type { ResolvedUser, RootFilesystem, Runtime } from "../../runtime/types.ts";
import type { ContainerRecord, RecordedState } from "../records/record.ts";

const most = 512;

/**
 * Resolves users inside images. The first start of a container finds the image's own /etc/passwd, so what was found for
 * one container of an image holds for the next: no need to look again.
 */
export class UserCache {
  readonly #runtime: Runtime;
  readonly #known = new Map<string, ResolvedUser>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async resolve(record: ContainerRecord, state: RecordedState, root: RootFilesystem): Promise<ResolvedUser> {
    const { User } = record.config;
    const groups = record.hostConfig.GroupAdd ?? [];
    if (state.starts > 0) return this.#runtime.resolveUser(root, User, groups);
    const key = JSON.stringify([record.layers, record.layers.includes("host") ? machineFiles() : "", User, groups]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const user = await this.#runtime.resolveUser(root, User, groups);
    if (this.#known.size >= most) this.#known.clear();
    this.#known.set(key, user);
    return user;
  }
}

/** Changes when the machine's own users do. */
function machineFiles(): string {
  return ["/etc/passwd", "/etc/group"]
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return `${stat?.ino} ${stat?.mtimeMs} ${stat?.size}`;
    })
    .join();
}
