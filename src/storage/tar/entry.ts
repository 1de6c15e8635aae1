import { SampanError } from "../../errors/index.ts";

/** What an entry makes. Contiguous files are files; GNU's dump directories are directories. */
export type EntryType = "file" | "hardlink" | "symlink" | "character" | "block" | "directory" | "fifo";

export interface Time {
  /** Seconds since the epoch, possibly negative. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * A member of a tar archive, with extended headers applied. Names are byte strings: one character (U+0000–U+00FF) per
 * byte, for file names are bytes and need not be UTF-8.
 */
export interface TarEntry {
  readonly type: EntryType;
  /** As written in the archive; a directory's may end in "/". Never empty, never with a NUL. */
  readonly name: string;
  /** Target of a symbolic or hard link, else "". */
  readonly linkName: string;
  /** Permission bits, set-id and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of the file in bytes, holes included. */
  readonly size: number;
  readonly mtime: Time;
  readonly major: number;
  readonly minor: number;
  /** Name and value of each extended attribute, in the order of the archive. */
  readonly xattrs: readonly (readonly [name: string, value: Buffer])[];
  /** The data does not cover the whole file. */
  readonly sparse: boolean;
}

/** What a parser tells, in the order of the archive: entry, its data in pieces, end; then the next. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** `bytes` belong at `offset` of the file; offsets only grow. Views into what was pushed: not to be kept. */
  data(bytes: Buffer, offset: number): void;
  /** Of an archive that is a file: `size` bytes at `at` of it belong at `offset`. Needed where `copied` is called. */
  copied?(at: number, size: number, offset: number): void;
  end(): void;
}

/** Upper bounds that no honest layer meets; a hostile archive must not exhaust memory. */
export const tarLimits = {
  /** Bytes of one extended header or GNU long name. */
  extendedHeader: 1024 * 1024,
  /** Regions of a sparse file. */
  sparseRegions: 1_000_000,
  /** Bytes of one file: the largest that ext4 can hold with 4 KiB blocks. */
  fileSize: 16 * 1024 ** 4,
  entries: 4_000_000,
} as const;

/** The error of a malformed archive; `where` is a byte offset. */
export function malformed(what: string, where: number): SampanError {
  return new SampanError("invalid", `Cannot read the tar archive: ${what} (at byte ${where})`);
}

/** A byte string for people. */
export function readable(latin1: string): string {
  return JSON.stringify(Buffer.from(latin1, "latin1").toString());
}
