import { decompressed } from "../../images/decompress.ts";
import { checksumMatches } from "../../storage/tar/header.ts";
import { readTar, type TarReader } from "../../storage/tar/read.ts";
import type { OpenTree } from "./trees.ts";

const headerSize = 512;

/** What unpacks a file that is a tar archive, plain or compressed; undefined for every other file. */
export async function archiveIn(
  { read }: OpenTree,
  path: string,
): Promise<((to: TarReader) => Promise<void>) | undefined> {
  if (read === undefined || !(await isArchive(read(path), path))) return undefined;
  return (to) => readTar(decompressed(read(path), path), to);
}

/** Whether it begins with a tar header; what cannot be decompressed is no archive. */
async function isArchive(file: AsyncIterable<Uint8Array>, path: string): Promise<boolean> {
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of decompressed(file, path)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= headerSize) break;
    }
  } catch {
    return false;
  }
  const block = head.subarray(0, headerSize);
  return block.length === headerSize && block.some((byte) => byte !== 0) && checksumMatches(block);
}
