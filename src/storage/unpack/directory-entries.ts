/** One record of getdents64(2). */
export interface DirectoryEntry {
  /** A byte string. */
  readonly name: string;
  readonly type: "directory" | "unknown" | "other";
}

const DT_UNKNOWN = 0;
const DT_DIR = 4;

/** Parses what getdents64 returned; "." and ".." are left out. struct linux_dirent64: ino, off, u16 reclen, u8 type, name. */
export function directoryEntries(bytes: Buffer): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at + 19 < bytes.length; ) {
    const length = bytes.readUInt16LE(at + 16);
    if (length < 20) break;
    const type = bytes[at + 18];
    const end = bytes.indexOf(0, at + 19);
    const name = bytes.toString("latin1", at + 19, end < 0 ? at + length : end);
    if (name !== "." && name !== "..") {
      entries.push({ name, type: type === DT_DIR ? "directory" : type === DT_UNKNOWN ? "unknown" : "other" });
    }
    at += length;
  }
  return entries;
}

/** Where the next reading goes on: the d_off of the last record. 0 when there was none. */
export function positionAfter(bytes: Buffer): bigint {
  let position = 0n;
  for (let at = 0; at + 19 < bytes.length; ) {
    position = bytes.readBigInt64LE(at + 8);
    const length = bytes.readUInt16LE(at + 16);
    if (length < 20) break;
    at += length;
  }
  return position;
}
