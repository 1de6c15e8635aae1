import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import { openProcessDirectory } from "./process-directory.ts";

/** `size` ids from `container` on are, on the machine, those from `host` on (user_namespaces(7)). */
export interface IdRange {
  readonly container: number;
  readonly host: number;
  readonly size: number;
}

export interface IdMappings {
  readonly users: readonly IdRange[];
  readonly groups: readonly IdRange[];
  /** The creator is not root: no process in the namespace may change its supplementary groups. */
  readonly withoutGroups?: boolean;
}

/** Who `id` of a container is on the machine; undefined for one that is nobody there. */
export function machineId(ranges: readonly IdRange[], id: number): number | undefined {
  const range = ranges.find(({ container, size }) => id >= container && id < container + size);
  return range && range.host + id - range.container;
}

/** Whether everybody is who they are on the machine, so that nothing needs mapping. */
export function isIdentity({ users, groups }: IdMappings): boolean {
  return [...users, ...groups].every(({ container, host }) => container === host);
}

/**
 * Gives a new user namespace its ids, which only a process outside of it may:
 *
 *     worker: constructor ── clone ── map ──┐
 *     child:                   └── await ◀──┘ … becomeRoot
 *
 * Until `becomeRoot`, the child has every right in its namespace, and to the machine is still its creator by ownership of
 * files: what it is to be given of the machine it opens in between.
 */
export class IdMapper {
  readonly #p: Program;
  readonly #mappings: IdMappings;
  readonly #mapped: ReturnType<Program["pair"]>;

  constructor(p: Program, mappings: IdMappings) {
    this.#p = p;
    this.#mappings = mappings;
    this.#mapped = p.pair("mapped");
    p.call("pipe2", [this.#mapped.address, named(f.O_CLOEXEC, "O_CLOEXEC")], {
      note: "make a pipe that tells the child when it has its ids",
    });
  }

  /** In the worker, after the clone. */
  map(pid: Slot): void {
    const p = this.#p;
    const directory = openProcessDirectory(p, pid);
    writeMaps(p, directory, this.#mappings);
    p.call("close", [directory], { note: "done with its files" });
    p.call("write", [this.#mapped.second, p.text("."), 1], { note: "tell the child that it has its ids" });
    for (const end of [this.#mapped.first, this.#mapped.second])
      p.call("close", [end], { note: "the pipe has served" });
  }

  /** In the child. */
  await(): void {
    const p = this.#p;
    p.call("close", [this.#mapped.second], { note: "hear it if the worker dies" });
    p.call("read", [this.#mapped.first, p.buffer(8, "byte"), 1], { note: "wait until it has its ids", full: true });
  }
}

/** A descriptor of a user namespace that nobody is in: a process makes it, and ends. */
export function makeUserNamespace(p: Program, mappings: IdMappings, note: string): Slot {
  const pipe = p.pair("made");
  p.call("pipe2", [pipe.address, named(f.O_CLOEXEC, "O_CLOEXEC")], { note: "make a pipe that ends a process" });
  const maker = p.clone(
    { flags: f.CLONE_NEWUSER, flagNames: "CLONE_NEWUSER", note: `make a user namespace ${note}` },
    () => {
      p.call("close", [pipe.second], { note: "hear its end" });
      p.call("read", [pipe.first, p.buffer(8, "byte"), 1], { note: "wait until it is held" });
      p.exit(0, "leave");
    },
  );
  const directory = openProcessDirectory(p, maker.pid);
  writeMaps(p, directory, mappings);
  const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  const namespace = p.sys("openat", [directory, p.text("ns/user"), open, 0], { note: "hold the namespace" });
  for (const end of [pipe.second, pipe.first, maker.pidfd, directory])
    p.call("close", [end], { note: "its maker may go" });
  p.call("wait4", [maker.pid, 0, 0, 0], { note: "see it go" });
  return namespace;
}

function writeMaps(p: Program, directory: Slot, { users, groups, withoutGroups }: IdMappings): void {
  // Who is not root may only map groups where none can be left (user_namespaces(7))
  if (withoutGroups) writeFile(p, directory, "setgroups", "deny", "let no process leave its groups");
  writeMap(p, directory, "uid_map", users, "users");
  writeMap(p, directory, "gid_map", groups, "groups");
}

function writeMap(p: Program, directory: Slot, name: string, ranges: readonly IdRange[], what: string): void {
  const text = ranges.map(({ container, host, size }) => `${container} ${host} ${size}\n`).join("");
  writeFile(p, directory, name, text, `map its ${what}: ${text.trim().replaceAll("\n", ", ")}`);
}

function writeFile(p: Program, directory: Slot, name: string, text: string, note: string): void {
  const open = named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC");
  const file = p.sys("openat", [directory, p.text(name), open, 0], { note: `open its ${name}` });
  p.call("write", [file, p.text(text), text.length], { note });
  p.call("close", [file], { note: "that is done" });
}

/** The process becomes the root of its user namespace: what it makes from now on is the container's. */
export function becomeRoot(p: Program): void {
  // In a namespace of a user other than root nobody may
  p.call("setgroups", [0, 0], { note: "leave the machine's groups", tolerate: ["EPERM"] });
  p.call("setresgid", [0, 0, 0], { note: "become the container's root group" });
  p.call("setresuid", [0, 0, 0], { note: "become the container's root" });
}
