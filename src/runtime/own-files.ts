import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import { attach, copyTree, setAttributes } from "./mounting.ts";
import type { OwnFile } from "./types.ts";

const CREATE = named(f.O_WRONLY | f.O_CREAT | f.O_EXCL | f.O_CLOEXEC, "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC");

/**
 * Files that a container gets over those of its image, /etc/hosts and the like. They are made in the memory behind its
 * /dev and keep no name there: they end with the container, and there is nothing on the machine's disk to clean up.
 */
export function mountFiles(p: Program, inside: Inside, dev: Slot, files: readonly OwnFile[]): void {
  for (const { target, text, readOnly, secret } of files) {
    const name = p.text(`.${target.slice(target.lastIndexOf("/") + 1)}`);
    const mode = secret === undefined ? 0o644 : 0o600;
    const file = p.sys("openat", [dev, name, CREATE, mode], { note: `make ${target} in memory` });
    const content = secret === undefined ? p.variable(() => p.text(text)) : p.bytes(secret.data, "a secret");
    const length = secret === undefined ? Buffer.byteLength(text) : secret.data.length;
    p.call("write", [file, content, length], { note: "write it", full: true });
    if (secret !== undefined) {
      p.call("fchown", [file, secret.uid, secret.gid], { note: "give it its owner" });
      p.call("fchmod", [file, secret.mode], { note: `with mode ${secret.mode.toString(8)}` });
    }
    const mount = copyTree(p, { directory: dev, path: name, recursive: false, note: "make a mount of it" });
    if (readOnly) setAttributes(p, mount, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "make it read-only" });
    attach(p, mount, inside.file(target, `find ${target}`), `mount it at ${target}`);
    p.call("unlinkat", [dev, name, 0], { note: "take its name in /dev away" });
  }
}
