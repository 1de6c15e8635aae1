import { type EntryType, readable, type TarEntry, type Time, tarLimits } from "./entry.ts";
import type { RawHeader } from "./header.ts";
import { decimal, paxTime } from "./numbers.ts";
import type { PaxRecords } from "./pax.ts";

const types: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  D: "directory",
  S: "file",
};

/** What the headers before an entry's own have set. */
export interface Extensions {
  readonly records: PaxRecords | undefined;
  /** GNU's 'L' and 'K'; they win over PAX. */
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

/** An entry, and how many bytes of data follow its header. */
export interface BuiltEntry {
  readonly entry: TarEntry;
  readonly dataSize: number;
}

/** Applies the extensions to a header; a string says what is wrong. `sparse` is not known here yet. */
export function buildEntry(raw: RawHeader, { records, longName, longLink }: Extensions): BuiltEntry | string {
  const values = records?.values;
  const name = longName || values?.get("GNU.sparse.name") || values?.get("path") || raw.name;
  let type = types[raw.type];
  if (type === undefined) return `an entry of the unknown type ${readable(raw.type)}: ${readable(name)}`;
  // In the time before directories had a type, a slash told them.
  if (type === "file" && raw.dialect === "v7" && name.endsWith("/")) type = "directory";
  const isLink = type === "hardlink" || type === "symlink";
  const linkName = isLink ? longLink || values?.get("linkpath") || raw.linkName : "";
  const uid = number(values, "uid", raw.uid);
  const gid = number(values, "gid", raw.gid);
  const size = number(values, "size", raw.size);
  const mtime = timeOf(values, raw.mtime);
  if (name === "") return "an entry without a name";
  if (name.includes("\0") || linkName.includes("\0")) return `a name with a NUL: ${readable(name)}`;
  if (!isOwner(uid) || !isOwner(gid)) return `an impossible owner of ${readable(name)}`;
  if (size === undefined || size < 0 || size > tarLimits.fileSize) return `an impossible size of ${readable(name)}`;
  if (mtime === undefined) return `an impossible time of ${readable(name)}`;
  if (isLink && linkName === "") return `a link without a target: ${readable(name)}`;
  const isFile = type === "file";
  const entry: TarEntry = {
    type,
    name,
    linkName,
    mode: raw.mode & 0o7777,
    uid,
    gid,
    size: isFile ? size : 0,
    mtime,
    major: raw.major,
    minor: raw.minor,
    xattrs: records ? [...records.xattrs] : [],
    sparse: false,
  };
  // Only files and GNU's dump directories have data, whatever the size field of the others says.
  return { entry, dataSize: isFile || raw.type === "D" ? size : 0 };
}

function number(values: Map<string, string> | undefined, key: string, otherwise: number): number | undefined {
  const value = values?.get(key);
  return value ? decimal(value) : otherwise;
}

function timeOf(values: Map<string, string> | undefined, otherwise: number): Time | undefined {
  const value = values?.get("mtime");
  return value ? paxTime(value) : { seconds: otherwise, nanoseconds: 0 };
}

/** The kernel takes (uid_t)-1 for "leave it as it is". */
function isOwner(id: number | undefined): id is number {
  return id !== undefined && id >= 0 && id < 0xffffffff;
}
