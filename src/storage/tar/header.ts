import { headerNumber } from "./numbers.ts";

export const BLOCK = 512;

/** The dialect decides what the bytes behind the link name mean. */
export type Dialect = "v7" | "ustar" | "gnu" | "star";

/** A header block as it stands, before extended headers are applied. */
export interface RawHeader {
  readonly type: string;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  readonly dialect: Dialect;
}

const CHECKSUM = 148;
const SPACE = 0x20;

/** Whether all 512 bytes are zero: half of the end mark. */
export function isZeroBlock(block: Buffer): boolean {
  if (block[0] !== 0) return false;
  for (let at = 1; at < BLOCK; at++) if (block[at] !== 0) return false;
  return true;
}

/** Whether the stored checksum is the sum of the bytes, unsigned as POSIX says or signed as old Suns wrote. */
export function checksumMatches(block: Buffer): boolean {
  const stored = headerNumber(block, CHECKSUM, 8);
  let unsigned = 8 * SPACE;
  let negative = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at === CHECKSUM) at += 8;
    const byte = block[at] as number;
    unsigned += byte;
    if (byte > 127) negative++;
  }
  return stored === unsigned || stored === unsigned - 256 * negative;
}

/** The bytes up to the first NUL, at most `length`. */
function text(block: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return end === at ? "" : block.toString("latin1", at, end);
}

function dialectOf(block: Buffer): Dialect {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  return block.toString("latin1", 508, 512) === "tar\0" ? "star" : "ustar";
}

/** Reads a header block; a string says what is wrong with it. The checksum is the caller's to verify. */
export function readHeader(block: Buffer): RawHeader | string {
  const dialect = dialectOf(block);
  const hasDevice = dialect !== "v7";
  const mode = headerNumber(block, 100, 8);
  const uid = headerNumber(block, 108, 8);
  const gid = headerNumber(block, 116, 8);
  const size = headerNumber(block, 124, 12);
  const mtime = headerNumber(block, 136, 12);
  const major = hasDevice ? headerNumber(block, 329, 8) : 0;
  const minor = hasDevice ? headerNumber(block, 337, 8) : 0;
  if (mode === undefined) return "a mode that is no number";
  if (uid === undefined || gid === undefined) return "an owner that is no number";
  if (size === undefined) return "a size that is no number";
  if (mtime === undefined) return "a time that is no number";
  if (major === undefined || minor === undefined) return "a device that is no number";
  let name = text(block, 0, 100);
  if (dialect === "ustar" || dialect === "star") {
    const prefix = text(block, 345, dialect === "ustar" ? 155 : 131);
    if (prefix !== "") name = `${prefix}/${name}`;
  }
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156] as number);
  return { type, name, linkName: text(block, 157, 100), mode, uid, gid, size, mtime, major, minor, dialect };
}
