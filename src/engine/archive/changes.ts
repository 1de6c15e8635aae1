import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Ref, Slot } from "../../kernel/block.ts";
import type { Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import { LOOK, reopen, type Stat, TreeReader } from "../../storage/pack/tree-reader.ts";
import { type Found, LowerView } from "../../storage/unpack/lower-view.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import type { ChangeKind, FileChange } from "./types.ts";

/** The directory that holds a container's changes. `what` is an infinitive, for the refusal where there is none. */
export function upperOf({ layout }: Pick<EngineParts, "layout">, { id, record }: Container, what: string): string {
  if (record.layers.includes("host")) {
    const why = "its image is this machine itself, and its changes are thrown away with its process";
    throw new SampanError("unsupported", `Cannot ${what} of container ${id.slice(0, 12)}: ${why}`);
  }
  return join(layout.containers, id, "upper");
}

/** A process that is shut up in there. `archive`: a file that an archive of it is to be written to. */
export async function openUpper(
  parts: EngineParts,
  container: Container,
  what: string,
  archive?: string,
): Promise<Session> {
  const purpose = `${what} of container ${container.id.slice(0, 12)}`;
  return await openDirectoryTree(parts.executor, purpose, upperOf(parts, container, what), archive);
}

/** What overlayfs's upper directory says that was changed, in the words and the order of `docker diff`. */
export async function listChanges(parts: EngineParts, container: Container): Promise<FileChange[]> {
  const what = "list the changes";
  const session = await openUpper(parts, container, what);
  try {
    const [overlay] = parts.snapshots.mounts(container.id, container.record.layers);
    const changes = new Changes(new TreeReader(session, what), new LowerNames(parts, overlay?.lower ?? []));
    await changes.directory("", false);
    return changes.found.sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    session.close();
  }
}

interface Entry {
  readonly name: string;
  readonly stat: Stat;
  readonly opaque: boolean;
}

/** The layers below as one, and what is in their directories. */
class LowerNames extends LowerView {
  readonly #layers: readonly string[];

  constructor({ executor }: EngineParts, layers: readonly string[]) {
    super(executor, layers);
    this.#layers = layers;
  }

  async names(directory: string): Promise<string[]> {
    const names = new Set<string>();
    for (const layer of this.#layers) {
      const path = Buffer.concat([Buffer.from(`${layer}/`), Buffer.from(directory, "latin1")]);
      for (const name of await readdir(path, { encoding: "latin1" }).catch(() => [])) names.add(`${directory}/${name}`);
    }
    return [...(await this.find([...names])).keys()].sort();
  }
}

interface Looked extends Pick<Entry, "name" | "stat"> {
  readonly opaque: { readonly value: Ref; readonly length: Slot } | undefined;
}

class Changes {
  readonly found: FileChange[] = [];
  readonly #reader: TreeReader;
  readonly #lower: LowerNames;
  readonly #told = new Set<string>();

  constructor(reader: TreeReader, lower: LowerNames) {
    this.#reader = reader;
    this.#lower = lower;
  }

  /** `hidden`: nothing of the layers below is seen here. */
  async directory(directory: string, hidden: boolean): Promise<void> {
    const names = (await this.#reader.names(directory)).map(({ name }) => (directory ? `${directory}/${name}` : name));
    for (let from = 0; from < names.length; from += LOOK) {
      const some = names.slice(from, from + LOOK);
      const entries = await this.#look(some);
      const below = hidden ? new Map<string, Found>() : await this.#lower.find(some);
      for (const entry of entries) this.#judge(entry, below.get(entry.name));
      for (const { name, stat, opaque } of entries) {
        if (!isDirectory(stat.mode)) continue;
        const gone = below.get(name)?.probe.type === "directory" && opaque && !hidden;
        await this.directory(name, hidden || opaque || below.get(name)?.probe.type !== "directory");
        if (gone) await this.#replaced(name);
      }
    }
  }

  #judge({ name, stat }: Entry, below: Found | undefined): void {
    if (isWhiteout(stat)) {
      if (below !== undefined) this.#tell(name, 2);
      return;
    }
    if (below === undefined || below.probe.type === "whiteout") {
      this.#tell(name, 1);
      return;
    }
    const { probe } = below;
    const same =
      probe.mode === stat.mode && probe.mtime.seconds === stat.mtime.seconds && nanosecondsMatch(probe, stat);
    // It may only have been copied up for the sake of something in it.
    if (isDirectory(stat.mode) && probe.type === "directory" && same) return;
    this.#tell(name, 0);
  }

  /** What was in a directory that was removed and made again. */
  async #replaced(directory: string): Promise<void> {
    for (const path of await this.#lower.names(directory)) {
      if (!this.#told.has(path)) this.#tell(path, 2);
    }
  }

  /** A directory in which something came or went has changed, too. */
  #tell(name: string, kind: ChangeKind): void {
    this.#told.add(name);
    const slash = name.lastIndexOf("/");
    const parent = slash < 0 ? "" : name.slice(0, slash);
    if (kind !== 0 && parent !== "" && !this.#told.has(parent)) this.#tell(parent, 0);
    this.found.push({ path: `/${Buffer.from(name, "latin1").toString()}`, kind });
  }

  async #look(names: readonly string[]): Promise<Entry[]> {
    const stats = await this.#reader.look(names);
    const p = this.#reader.program();
    const reads = names.flatMap((name, index): Looked[] => {
      const stat = stats[index];
      if (stat === undefined) return [];
      if (!isDirectory(stat.mode)) return [{ name, stat, opaque: undefined }];
      const fd = reopen(p, index, f.O_RDONLY | f.O_DIRECTORY);
      const value = p.buffer(8);
      const length = p.sys("fgetxattr", [fd, p.text("trusted.overlay.opaque"), value, 8], {
        note: "see whether it hides what is below",
        tolerate: ["ENODATA", "EOPNOTSUPP", "ERANGE"],
      });
      p.call("close", [fd], { note: "close it" });
      return [{ name, stat, opaque: { value, length } }];
    });
    const results = await this.#reader.session.run(p);
    return reads.map(({ name, stat, opaque }) => {
      const text = opaque && results.bytes(opaque.value, results.value(opaque.length)).toString();
      return { name, stat, opaque: text === "y" };
    });
  }
}

function isDirectory(mode: number): boolean {
  return (mode & f.S_IFMT) === f.S_IFDIR;
}

function isWhiteout({ mode, major, minor }: Stat): boolean {
  return (mode & f.S_IFMT) === f.S_IFCHR && major === 0 && minor === 0;
}

/** Images have seconds only. */
function nanosecondsMatch(probe: Found["probe"], stat: Stat): boolean {
  const [a, b] = [probe.mtime.nanoseconds, stat.mtime.nanoseconds];
  return a === b || a === 0 || b === 0;
}
