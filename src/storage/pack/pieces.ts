import { statSync } from "node:fs";

/** Bytes of an archive that the kernel has copied to their place in the archive's file; nobody has seen them. */
export interface Copied {
  /** Where in that file. */
  readonly at: number;
  readonly size: number;
}

/** A part of an archive that is written to a file. */
export type ArchivePiece = Uint8Array | Copied;

export function isCopied(piece: ArchivePiece): piece is Copied {
  return !(piece instanceof Uint8Array);
}

/** Whether the kernel can copy from one of these paths to all others (copy_file_range(2)). */
export function areOnOneFileSystem(...paths: readonly string[]): boolean {
  return new Set(paths.map((path) => statSync(path).dev)).size === 1;
}
