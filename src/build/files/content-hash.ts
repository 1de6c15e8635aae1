import { createHash, type Hash } from "node:crypto";
import type { TarEntry } from "../../storage/tar/entry.ts";
import type { TarReader } from "../../storage/tar/read.ts";
import type { FileStat } from "../context/tree.ts";

/** Hashes a tree: names, types, modes, owners, links, devices, attributes and contents, in the order they come; no times. */
export class ContentHash {
  readonly #hash = createHash("sha256");

  add(name: string, stat: FileStat, digest: string): void {
    const { type, linkName, mode, uid, gid, size, major, minor, xattrs } = stat;
    const attributes = xattrs.map(([key, value]) => [key, value.toString("hex")]);
    const device = type === "character" || type === "block" ? [major, minor] : [];
    const fields = [
      name,
      type,
      linkName,
      mode & 0o7777,
      uid,
      gid,
      type === "file" ? size : 0,
      device,
      attributes,
      digest,
    ];
    this.#hash.update(`${JSON.stringify(fields)}\n`);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** Hashes what a tar archive tells. */
export class HashingHandler implements TarReader {
  readonly result = new ContentHash();
  #open: { readonly entry: TarEntry; readonly hash: Hash } | undefined;

  entry(entry: TarEntry): void {
    if (entry.type === "file") this.#open = { entry, hash: createHash("sha256") };
    else this.result.add(entry.name, entry, "");
  }

  data(bytes: Buffer): void {
    this.#open?.hash.update(bytes);
  }

  end(): void {
    if (this.#open === undefined) return;
    const { entry, hash } = this.#open;
    this.result.add(entry.name, entry, hash.digest("hex"));
    this.#open = undefined;
  }
}
