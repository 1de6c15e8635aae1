import { createHash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { TarEntry } from "../../../src/storage/tar/entry.ts";
import { TarParser } from "../../../src/storage/tar/parser.ts";

/** All that two builders of the same Dockerfile can have in common. */
export interface Picture {
  /** The image configuration without its times and digests. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly history: readonly unknown[];
  readonly layers: number;
  /** What the layers make of the base, by path: type, mode, owner, time, size, content or target, extended attributes. */
  readonly files: Readonly<Record<string, string>>;
}

interface Configuration {
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/** One member of an archive and its bytes. */
interface Member {
  readonly entry: TarEntry;
  readonly bytes: Buffer;
}

/** A file of an image; hard links share it. */
interface Inode {
  readonly text: string;
}

/** Everything in a tar archive, in its order. */
export function members(archive: Buffer): Member[] {
  const all: Member[] = [];
  let begun: TarEntry | undefined;
  let chunks: Buffer[] = [];
  const parser = new TarParser({
    entry(entry) {
      begun = entry;
      chunks = [];
    },
    data(bytes) {
      chunks.push(Buffer.from(bytes));
    },
    end() {
      if (begun !== undefined) all.push({ entry: begun, bytes: Buffer.concat(chunks) });
    },
  });
  parser.push(archive);
  parser.finish();
  return all;
}

/** The picture of the first image in an archive as `docker save` writes it; its first `bases` layers are the base. */
export function picture(archive: Buffer, bases = 1): Picture {
  const files = new Map(members(archive).map(({ entry, bytes }) => [entry.name, bytes]));
  const read = (name: string): Buffer => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`the archive has no ${name}`);
    return bytes;
  };
  const [manifest] = JSON.parse(read("manifest.json").toString()) as { Config: string; Layers: string[] }[];
  if (manifest === undefined) throw new Error("the archive has no image");
  const { history, rootfs, ...config } = JSON.parse(read(manifest.Config).toString()) as Configuration;
  return {
    config: without(config, "created", "architecture"),
    history: history.map((step) => without(step, "created")),
    layers: rootfs.diff_ids.length,
    files: tree(
      manifest.Layers.map((name) => unzipped(read(name))),
      bases,
    ),
  };
}

/** What is in an archive of files, as `docker export` writes it, by path: see `Picture.files`. */
export function exportedFiles(archive: Buffer): Picture["files"] {
  return tree([archive], 0);
}

function without(object: object, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** A layer without its compression. */
export function unzipped(layer: Buffer): Buffer {
  if (layer.readUInt32BE(0) === 0x28b52ffd) return zstdDecompressSync(layer);
  return layer.readUInt16BE(0) === 0x1f8b ? gunzipSync(layer) : layer;
}

/** What `docker run` and the steps of builders leave behind where they mount something. */
const mountPoints = /^(?:dev|proc|sys|etc\/(?:hosts|hostname|resolv\.conf|mtab))(?:\/|$)/;

function tree(layers: readonly Buffer[], bases: number): Record<string, string> {
  const inodes = new Map<string, Inode>();
  const base = new Map<string, Inode>();
  for (const [index, layer] of layers.entries()) {
    for (const member of members(layer)) put(inodes, member);
    if (index === bases - 1) for (const [path, inode] of inodes) base.set(path, inode);
  }
  const names = new Map<Inode, string[]>();
  for (const [path, inode] of inodes) names.set(inode, [...(names.get(inode) ?? []), path].sort());
  const described = [...inodes].map(([path, inode]) => {
    const [first, ...others] = names.get(inode) ?? [];
    return [path, others.length > 0 ? `${inode.text} = ${first}` : inode.text] as const;
  });
  const gone = [...base.keys()].filter((path) => !inodes.has(path)).map((path) => [path, "gone"] as const);
  const changed = described.filter(([path]) => inodes.get(path)?.text !== base.get(path)?.text);
  const telling = [...changed, ...gone].filter(([path]) => !mountPoints.test(path));
  return Object.fromEntries(telling.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Applies one member of a layer. */
function put(inodes: Map<string, Inode>, { entry, bytes }: Member): void {
  const path = entry.name.replace(/^\.?\//, "").replace(/\/$/, "");
  const [, directory = "", name = ""] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
  const remove = (below: string, itself: boolean) => {
    for (const known of inodes.keys())
      if (known.startsWith(`${below}/`) || (itself && known === below)) inodes.delete(known);
  };
  if (name === ".wh..wh..opq") remove(directory.slice(0, -1), false);
  else if (name.startsWith(".wh.")) remove(directory + name.slice(4), true);
  else if (entry.type === "hardlink")
    inodes.set(path, inodes.get(entry.linkName.replace(/^\.?\//, "")) ?? { text: "?" });
  else {
    if (entry.type !== "directory") remove(path, false);
    if (path !== "") inodes.set(path, { text: describe(entry, bytes) });
  }
}

function describe(entry: TarEntry, bytes: Buffer): string {
  const { type, mode, uid, gid, mtime, linkName, major, minor, xattrs } = entry;
  // What a step has made just now has no time that two builds have in common.
  const time = mtime.seconds < 1_500_000_000 ? `at ${mtime.seconds}` : "now";
  const content = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const what = {
    ...{ file: `${bytes.length} ${content}`, symlink: `-> ${linkName}`, directory: "", fifo: "", hardlink: "" },
    ...{ character: `${major}:${minor}`, block: `${major}:${minor}` },
  }[type];
  const attributes = xattrs.map(([name, value]) => ` ${name}=${Buffer.from(value).toString("hex")}`).sort();
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${time} ${what}${attributes.join("")}`.replaceAll("  ", " ").trim();
}
