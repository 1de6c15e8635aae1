import { existsSync, statSync } from "node:fs";
import { named, type Slot } from "../kernel/block.ts";
import type { Executor } from "../kernel/executor.ts";
import * as f from "../kernel/flags.ts";
import { Program } from "../kernel/program.ts";
import { Inside } from "./inside.ts";
import { isolateMounts, mountRoot } from "./rootfs.ts";
import type { KernelFeatures } from "./start.ts";
import type { RootFilesystem } from "./types.ts";

export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Nearly every file fits the first, nobody's needs more than the second. */
const sizes = [64 * 1024, 8 * 1024 * 1024] as const;
const REMEMBERED = 512;

/** Reads /etc/passwd and /etc/group of containers, as the container would see them; files of untouched images are remembered. */
export class UserFilesReader {
  readonly #executor: Executor;
  readonly #kernel: KernelFeatures;
  readonly #remembered = new Map<string, UserFiles>();

  constructor(executor: Executor, kernel: KernelFeatures) {
    this.#executor = executor;
    this.#kernel = kernel;
  }

  /** Of a root file system that is not in use, or of the container whose first process is `pid`. A missing file is empty. */
  async read(where: RootFilesystem | { readonly pid: number }): Promise<UserFiles> {
    const key = "lower" in where && isUntouched(where) ? where.lower.map(identity).join("\n") : undefined;
    const known = key === undefined ? undefined : this.#remembered.get(key);
    if (known) return known;
    const files = await this.#readNow(where);
    if (key === undefined) return files;
    if (this.#remembered.size >= REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value ?? "");
    this.#remembered.set(key, files);
    return files;
  }

  async #readNow(where: RootFilesystem | { readonly pid: number }): Promise<UserFiles> {
    for (const size of sizes) {
      const p = new Program("look up the user in the container's /etc/passwd and /etc/group");
      const inside = new Inside(p, "lower" in where ? this.#mount(p, where) : openRootOf(p, where.pid));
      const passwd = readFile(p, inside, "/etc/passwd", size);
      const group = readFile(p, inside, "/etc/group", size);
      const results = await this.#executor.run(p);
      const texts = [passwd, group].map(({ buffer, length }) => results.bytes(buffer, results.value(length)));
      if (texts.every((text) => text.length < size)) return { passwd: String(texts[0]), group: String(texts[1]) };
    }
    return { passwd: "", group: "" };
  }

  #mount(p: Program, root: RootFilesystem): Slot {
    p.call("unshare", [named(f.CLONE_NEWNS, "CLONE_NEWNS")], { note: "mount where nobody sees it" });
    isolateMounts(p);
    return mountRoot(p, root, this.#kernel);
  }
}

/** Whether the container has nothing of its own below /etc, so that the image alone decides. */
function isUntouched(root: RootFilesystem): boolean {
  return root.upper === "throw-away" || !existsSync(`${root.upper.upper}/etc`);
}

/** A layer never changes, but the machine's own root is a lower directory, too. */
function identity(directory: string): string {
  const stamps = ["passwd", "group"].map((name) => {
    const stat = statSync(`${directory}/etc/${name}`, { throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.ino} ${stat.ctimeMs}`;
  });
  return [directory, ...stamps].join(" ");
}

function openRootOf(p: Program, pid: number): Slot {
  return p.sys(
    "openat",
    [
      f.AT_FDCWD,
      p.text(`/proc/${pid}/root`),
      named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC"),
      0,
    ],
    { note: "open the container's root" },
  );
}

/** Steps that read up to `size` bytes of an ordinary file, if it is there. */
export function readFile(
  p: Program,
  inside: Inside,
  path: string,
  size: number,
): { buffer: ReturnType<Program["buffer"]>; length: Slot } {
  const missing = p.label();
  const buffer = p.buffer(size, path);
  const length = p.slot("length");
  const file = inside.open(path, f.O_RDONLY | f.O_NONBLOCK, { note: `open ${path}`, missing });
  p.sys("read", [file, buffer, size], { note: `read ${path}`, into: length, tolerate: ["EISDIR", "EAGAIN", "EINVAL"] });
  p.place(missing);
  return { buffer, length };
}
