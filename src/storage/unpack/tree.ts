import { SampanError } from "../../errors/index.ts";
import { readable, type Time } from "../tar/entry.ts";
import { parentOf } from "./names.ts";

/** What an inode is given besides its content. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** undefined: as it comes. */
  readonly mtime: Time | undefined;
  readonly xattrs: readonly (readonly [name: string, value: Buffer])[];
}

/** A directory of the layer that is being made. */
export interface Directory {
  /** From its own entry; undefined while the archive has only named what lies in it. */
  attributes: Attributes | undefined;
  /** Nothing of the layers below is seen in it. */
  opaque: boolean;
}

/** As many symbolic links as the kernel follows. */
const MAX_LINKS = 40;

/**
 * All that a half-made layer holds. Since nobody else writes there, this knows as well as the kernel where a name
 * leads; keys are real names, without symbolic links on the way.
 */
export class Tree {
  readonly directories = new Map<string, Directory>([["", { attributes: undefined, opaque: false }]]);
  /** Everything else; the target of symbolic links. */
  readonly #others = new Map<string, string | undefined>();

  kindOf(name: string): "directory" | "other" | undefined {
    if (this.#others.has(name)) return "other";
    return this.directories.has(name) ? "directory" : undefined;
  }

  /** `name` is now a file, a device, or with `link` a symbolic link. */
  set(name: string, link?: string): void {
    this.#others.set(name, link);
  }

  /** Forgets `name` and everything below it. */
  forget(name: string): void {
    this.#others.delete(name);
    if (!this.directories.delete(name)) return;
    const below = `${name}/`;
    for (const map of [this.directories, this.#others]) {
      for (const known of map.keys()) if (known.startsWith(below)) map.delete(known);
    }
  }

  /** As the link `target` or, for a hard link, the same inode at another name. */
  copy(from: string, to: string): void {
    this.#others.set(to, this.#others.get(from));
  }

  /**
   * The real name of directory `name`, all links followed as in a chroot. `make` is called for each directory that is
   * missing; without it a missing one gives undefined. What is no directory is an error of kind "invalid".
   */
  resolve(name: string, make?: (real: string) => void): string | undefined {
    if (this.directories.has(name)) return name;
    let real = "";
    let links = 0;
    const parts = name.split("/").reverse();
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        real = parentOf(real);
        continue;
      }
      const next = real === "" ? part : `${real}/${part}`;
      const link = this.#others.get(next);
      if (link !== undefined) {
        if (++links > MAX_LINKS) throw unusable(name, "too many symbolic links are on the way");
        if (link.startsWith("/")) real = "";
        parts.push(...link.split("/").reverse());
        continue;
      }
      if (this.#others.has(next)) throw unusable(name, `${readable(next)} is no directory`);
      if (!this.directories.has(next)) {
        if (!make) return undefined;
        make(next);
        this.directories.set(next, { attributes: undefined, opaque: false });
      }
      real = next;
    }
    return real;
  }
}

function unusable(name: string, why: string): SampanError {
  return new SampanError("invalid", `Cannot unpack into ${readable(name)}: ${why}`);
}
