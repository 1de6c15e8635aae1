import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import { readable } from "../tar/entry.ts";
import { clampName, parentOf, prefixesOf } from "./names.ts";
import { type Probe, probeLayer, readLink, readXattrs } from "./probe.ts";
import type { Attributes } from "./tree.ts";

/** Something that the stack of lower layers shows. */
export interface Found {
  /** The layer it comes from. */
  readonly directory: string;
  /** Its real name there. */
  readonly name: string;
  readonly probe: Probe;
}

/** What looking up a name in the merged layers comes to. */
export type Lookup =
  | { readonly kind: "absent" }
  | { readonly kind: "found"; readonly layer: number; readonly probe: Probe }
  /** A directory on the way is a symbolic link. */
  | { readonly kind: "link"; readonly layer: number; readonly at: string };

/**
 * Looks `name` up as overlayfs merges layers (top first): a whiteout or anything else than a directory ends the way
 * down, an opaque directory hides what is below it.
 */
export function lookUp(layers: readonly ReadonlyMap<string, Probe>[], name: string): Lookup {
  const prefixes = prefixesOf(name);
  const directories = new Set<string>();
  for (const [layer, probes] of layers.entries()) {
    let opaque = false;
    for (const prefix of prefixes) {
      const probe = probes.get(prefix);
      if (!probe) break;
      // A directory further up merges with directories only.
      if (probe.type === "whiteout" || (probe.type !== "directory" && directories.has(prefix)))
        return { kind: "absent" };
      if (prefix === name) return { kind: "found", layer, probe };
      if (probe.type === "symlink") return { kind: "link", layer, at: prefix };
      if (probe.type !== "directory") return { kind: "absent" };
      directories.add(prefix);
      opaque ||= prefix !== "" && probe.opaque;
    }
    if (opaque) break;
  }
  return { kind: "absent" };
}

/** The layers below the one that is being made, seen as one, without mounting them. */
export class LowerView {
  readonly #executor: Executor;
  readonly #directories: readonly string[];
  readonly #layers: Map<string, Probe>[];
  readonly #known = new Set<string>();

  /** `directories` top first. */
  constructor(executor: Executor, directories: readonly string[]) {
    this.#executor = executor;
    this.#directories = directories;
    this.#layers = directories.map(() => new Map());
  }

  /** What is at these names; links are not followed, not even on the way. */
  async find(names: readonly string[]): Promise<Map<string, Found>> {
    await this.#probe(names);
    const found = new Map<string, Found>();
    for (const name of names) {
      const lookup = lookUp(this.#layers, name);
      if (lookup.kind === "found") found.set(name, this.#found(lookup.layer, name, lookup.probe));
    }
    return found;
  }

  /** What is at `name` when links on the way, but not a last one, are followed as in a chroot. */
  async resolve(name: string): Promise<Found | undefined> {
    let at = name;
    for (let links = 0; links <= 40; links++) {
      await this.#probe([at]);
      const lookup = lookUp(this.#layers, at);
      if (lookup.kind === "absent") return undefined;
      if (lookup.kind === "found") return this.#found(lookup.layer, at, lookup.probe);
      const target = await readLink(this.#executor, this.#directories[lookup.layer] ?? "", lookup.at);
      const rest = at.slice(lookup.at.length);
      at = clampName(target.startsWith("/") ? target + rest : `${parentOf(lookup.at)}/${target}${rest}`);
    }
    throw new SampanError(
      "invalid",
      `Cannot unpack a link to ${readable(name)}: too many symbolic links are on the way`,
    );
  }

  /** All that overlayfs would copy up. */
  async attributes({ directory, name, probe }: Found): Promise<Attributes> {
    const xattrs = await readXattrs(this.#executor, directory, name);
    return { mode: probe.mode & 0o7777, uid: probe.uid, gid: probe.gid, mtime: probe.mtime, xattrs };
  }

  /** Target of a symbolic link. */
  linkTarget({ directory, name }: Found): Promise<string> {
    return readLink(this.#executor, directory, name);
  }

  #found(layer: number, name: string, probe: Probe): Found {
    return { directory: this.#directories[layer] ?? "", name, probe };
  }

  async #probe(names: readonly string[]): Promise<void> {
    const wanted = [...new Set(names.flatMap(prefixesOf))].filter((name) => !this.#known.has(name));
    if (wanted.length === 0) return;
    const probes = this.#directories.map((directory) => probeLayer(this.#executor, directory, wanted));
    for (const [layer, found] of (await Promise.all(probes)).entries()) {
      for (const [name, probe] of found) this.#layers[layer]?.set(name, probe);
    }
    for (const name of wanted) this.#known.add(name);
  }
}
