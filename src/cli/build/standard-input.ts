import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ExitError } from "../errors.ts";

/** What stdin was: an archive, or a Dockerfile without any context. */
export type Given = { readonly archive: Readable } | { readonly text: string; readonly directory: string };

/** The beginnings of gzip, bzip2, xz and zstd. */
const compressed = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** Tells an archive from a Dockerfile by its first bytes, as docker does. */
export async function archiveOrDockerfile(stdin: Readable): Promise<Given> {
  const chunks = stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < 512) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  if (head.length === 0) throw new ExitError(1, "ERROR: failed to read dockerfile: stdin is empty");
  async function* rest(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  if (isArchive(head)) return { archive: Readable.from(rest(), { objectMode: false }) };
  const text = Buffer.concat(await Array.fromAsync(rest())).toString();
  return { text, directory: emptyDirectory() };
}

function isArchive(head: Buffer): boolean {
  if (compressed.some((magic) => magic.every((byte, index) => head[index] === byte))) return true;
  return head.length >= 512 && head.toString("latin1", 257, 262) === "ustar";
}

/** A context with nothing in it; gone when the process ends. */
function emptyDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "sampan-build-"));
  process.once("exit", () => rmdirSync(path));
  return path;
}
