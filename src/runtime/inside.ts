import type { Slot } from "../kernel/block.ts";
import { named } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Label, Program } from "../kernel/program.ts";

/**
 * Paths inside a container's root, while it is being built. None is trusted: each is resolved with openat2(2) and
 * RESOLVE_IN_ROOT, so that the image's links cannot lead out of it, and is then only used by descriptor.
 */
export class Inside {
  readonly #program: Program;
  /** O_PATH descriptor of the container's root. */
  readonly root: Slot;
  readonly #made = new Set<string>();

  constructor(program: Program, root: Slot) {
    this.#program = program;
    this.root = root;
  }

  /**
   * A descriptor of `path`. With `missing`, a path that is not there goes on at that label; without `links` a path with
   * a symbolic link in it is ELOOP.
   */
  open(path: string, flags: number, options: { note: string; missing?: Label; links?: false }): Slot {
    const resolve = f.RESOLVE_IN_ROOT | f.RESOLVE_NO_MAGICLINKS;
    const how =
      options.links === false
        ? this.#program.words([flags | f.O_CLOEXEC, 0, resolve | f.RESOLVE_NO_SYMLINKS], "{ resolve: …NO_SYMLINKS }")
        : this.#program.words(
            [flags | f.O_CLOEXEC, 0, resolve],
            "{ resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }",
          );
    const args = [this.root, this.#program.text(relative(path)), how, 24];
    if (!options.missing) return this.#program.sys("openat2", args, { note: options.note });
    return this.#program.sys("openat2", args, {
      note: options.note,
      tolerate: ["ENOENT", "ENOTDIR", "EACCES"],
      orElse: options.missing,
    });
  }

  /** Something was mounted at `path`: what was made below is hidden, and missing again. */
  mounted(path: string): void {
    const prefix = `${relative(path)}/`;
    for (const made of this.#made) if (made.startsWith(prefix)) this.#made.delete(made);
  }

  /** Makes the directory and its parents where they are missing; returns its descriptor. */
  directory(path: string, note: string, options: { links?: false } = {}): Slot {
    const parts = path.split("/").filter((part) => part !== "");
    let parent = this.root;
    for (const [index, part] of parts.entries()) {
      const prefix = parts.slice(0, index + 1).join("/");
      if (!this.#made.has(prefix)) this.#makeDirectory(parent, part);
      this.#made.add(prefix);
      parent = this.open(prefix, f.O_PATH | f.O_DIRECTORY, {
        note: index === parts.length - 1 ? note : `find /${prefix}`,
        ...options,
      });
    }
    return parent;
  }

  /** Makes an empty file and its parents where they are missing; returns its descriptor. */
  file(path: string, note: string): Slot {
    const slash = path.lastIndexOf("/");
    const parent = slash > 0 ? this.directory(path.slice(0, slash), `find the directory of ${path}`) : this.root;
    this.#program.call(
      "mknodat",
      [parent, this.#program.text(path.slice(slash + 1)), named(f.S_IFREG | 0o644, "S_IFREG|0644"), 0],
      {
        note: `make ${path} to mount on, if it is missing`,
        tolerate: ["EEXIST"],
      },
    );
    return this.open(path, f.O_PATH, { note });
  }

  #makeDirectory(parent: Slot, name: string): void {
    this.#program.call("mkdirat", [parent, this.#program.text(name), 0o755], {
      note: `make the directory ${name}, if it is missing`,
      tolerate: ["EEXIST", "EROFS"],
    });
  }
}

/** openat2 with RESOLVE_IN_ROOT takes an absolute path as one from the root; the root itself is ".". */
function relative(path: string): string {
  return path.replace(/^\/+/, "") || ".";
}
