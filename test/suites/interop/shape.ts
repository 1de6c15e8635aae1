import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../support/images.ts";
import { members, unzipped } from "../dockerfile/picture.ts";

/**
 * What is handed out, without what depends on how a machine's zlib compresses: documents by their names, in which compressed
 * layers are named by what is in them, and manifests by their place.
 */
export type Shape = Readonly<Record<string, unknown>>;

/** Of an archive, as `save` writes it. */
export function shapeOfArchive(archive: Buffer): Shape {
  return shapeOf(new Map(members(archive).map(({ entry, bytes }) => [entry.name, bytes])));
}

/** Of a directory, an OCI layout. */
export function shapeOfDirectory(directory: string): Shape {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return shapeOf(new Map(names.map((name) => [name.slice(directory.length + 1), readFileSync(name)])));
}

function shapeOf(files: ReadonlyMap<string, Buffer>): Shape {
  const names = new Map<string, string>();
  const documents = new Map<string, Buffer>();
  for (const [path, bytes] of files) {
    const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
    const isDocument = bytes[0] === 0x7b || bytes[0] === 0x5b;
    if (hex === undefined) documents.set(path, bytes);
    else if (!isDocument) names.set(hex, nameOfLayer(bytes));
    else if ("rootfs" in JSON.parse(bytes.toString())) names.set(hex, `configuration ${hex}`);
    else {
      names.set(hex, "manifest");
      documents.set("manifest", bytes);
    }
  }
  const shown = [...documents].map(([path, bytes]) => [path, shownDocument(bytes, names)] as const);
  return {
    ...Object.fromEntries(shown.filter(([, document]) => document !== undefined)),
    blobs: [...names.values()].toSorted(),
  };
}

/** A directory of an archive has no content. */
function shownDocument(bytes: Buffer, names: ReadonlyMap<string, string>): unknown {
  if (bytes.length === 0) return undefined;
  const text = bytes.toString().replaceAll(/[0-9a-f]{64}/g, (hex) => names.get(hex) ?? hex);
  return JSON.parse(text, (key, value) => (key === "size" ? undefined : value));
}

/** The compression and what it compresses. */
function nameOfLayer(bytes: Buffer): string {
  const magic = bytes.readUInt32BE(0);
  const compression = magic === 0x28b52ffd ? "zstd " : magic >>> 16 === 0x1f8b ? "gzip " : "";
  return `${compression}layer ${digestOf(unzipped(bytes))}`;
}
