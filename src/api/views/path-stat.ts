import type { PathStat } from "../../engine/types.ts";
import * as f from "../../kernel/flags.ts";

/** Bits of Go's os.FileMode by the type bits of st_mode. */
const typeBits: ReadonlyMap<number, number> = new Map([
  [f.S_IFDIR, 2 ** 31],
  [f.S_IFLNK, 2 ** 27],
  [f.S_IFBLK, 2 ** 26],
  [f.S_IFCHR, 2 ** 26 + 2 ** 21],
  [f.S_IFIFO, 2 ** 25],
  [f.S_IFSOCK, 2 ** 24],
]);

/** st_mode as Go's os.FileMode. */
export function goFileMode(mode: number): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return (typeBits.get(mode & f.S_IFMT) ?? 0) + special + (mode & 0o777);
}

/** The header X-Docker-Container-Path-Stat: JSON in base64. */
export function pathStatHeader({ name, stat, linkTarget }: PathStat): string {
  const { size, mode, mtime } = stat;
  const view = { name, size, mode: goFileMode(mode), mtime: timeOf(mtime), linkTarget };
  return Buffer.from(JSON.stringify(view)).toString("base64");
}

/** RFC 3339 with nanoseconds, trailing zeros cut off as Go does. */
function timeOf({ seconds, nanoseconds }: PathStat["stat"]["mtime"]): string {
  const fraction = String(nanoseconds).padStart(9, "0").replace(/0+$/, "");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
}
