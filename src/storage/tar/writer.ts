import type { EntryType, TarEntry } from "./entry.ts";
import { BLOCK } from "./header.ts";

const typeFlags: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** The largest numbers that the octal fields of ustar hold. */
const largestId = 0o7777777;
const largestSize = 0o77777777777;

const NAME = 100;
const PREFIX = 155;

/** What ends an archive: two empty blocks. */
export const tarEnd: Buffer = Buffer.alloc(2 * BLOCK);

/** How many zeros follow `size` bytes of data. */
export function tarPadding(size: number): number {
  return -size & (BLOCK - 1);
}

/**
 * The header of an entry, with a PAX header in front where ustar's fields do not hold it (pax(1)). Fractions of seconds are
 * left out, as Docker does; sparse files are written whole. Names are byte strings.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const name = splitName(entry.name);
  const records: [string, string | Buffer][] = [];
  if (name === undefined || !isAscii(entry.name)) records.push(["path", entry.name]);
  if (entry.linkName.length > NAME || !isAscii(entry.linkName)) records.push(["linkpath", entry.linkName]);
  if (entry.uid > largestId) records.push(["uid", String(entry.uid)]);
  if (entry.gid > largestId) records.push(["gid", String(entry.gid)]);
  if (entry.size > largestSize) records.push(["size", String(entry.size)]);
  const { seconds } = entry.mtime;
  if (seconds < 0 || seconds > largestSize) records.push(["mtime", String(seconds)]);
  for (const [attribute, value] of entry.xattrs) records.push([`SCHILY.xattr.${attribute}`, value]);
  const header = block(entry, name ?? { name: entry.name.slice(-NAME), prefix: "" }, typeFlags[entry.type]);
  if (records.length === 0) return header;
  return Buffer.concat([paxHeader(entry.name, records), header]);
}

interface SplitName {
  readonly name: string;
  readonly prefix: string;
}

/** A name in ustar's two fields; undefined when it does not fit. */
function splitName(name: string): SplitName | undefined {
  if (name.length <= NAME) return { name, prefix: "" };
  const slash = name.indexOf("/", name.length - NAME - 1);
  if (slash <= 0 || slash > PREFIX || slash === name.length - 1) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

function paxHeader(name: string, records: readonly (readonly [string, string | Buffer])[]): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const base = name.replace(/\/$/, "").split("/").at(-1) ?? "";
  const entry: TarEntry = {
    ...{ type: "file", name: `PaxHeaders.0/${base}`.slice(0, NAME), linkName: "", mode: 0, uid: 0, gid: 0 },
    ...{ size: body.length, mtime: { seconds: 0, nanoseconds: 0 }, major: 0, minor: 0, xattrs: [], sparse: false },
  };
  const ascii = entry.name.replace(/[^\x20-\x7e]/g, "_");
  return Buffer.concat([block(entry, { name: ascii, prefix: "" }, "x"), body, Buffer.alloc(tarPadding(body.length))]);
}

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`, "latin1"),
    typeof value === "string" ? Buffer.from(value, "latin1") : value,
    Buffer.from("\n"),
  ]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function block(entry: TarEntry, { name, prefix }: SplitName, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, NAME, "latin1");
  octal(header, 100, 8, entry.mode);
  octal(header, 108, 8, Math.min(entry.uid, largestId));
  octal(header, 116, 8, Math.min(entry.gid, largestId));
  octal(header, 124, 12, entry.type === "file" ? Math.min(entry.size, largestSize) : 0);
  octal(header, 136, 12, Math.max(0, Math.min(entry.mtime.seconds, largestSize)));
  header.write(type, 156, 1, "latin1");
  header.write(entry.linkName.slice(0, NAME), 157, NAME, "latin1");
  header.write("ustar\x0000", 257, 8, "latin1");
  const isDevice = entry.type === "character" || entry.type === "block";
  octal(header, 329, 8, isDevice ? entry.major : 0);
  octal(header, 337, 8, isDevice ? entry.minor : 0);
  header.write(prefix, 345, PREFIX, "latin1");
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return header;
}

function octal(header: Buffer, at: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "latin1");
}

function isAscii(text: string): boolean {
  return /^[^\u0080-\uffff]*$/.test(text);
}
