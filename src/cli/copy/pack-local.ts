import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";

/** A tar archive of a file or directory of this machine, whose top is called `as`. Sockets are left out. */
export async function* packLocal(path: string, as: string): AsyncGenerator<Uint8Array> {
  yield* entries(path, as, new Map());
  yield tarEnd;
}

/** `linked`: the first name of files that have several. */
async function* entries(path: string, name: string, linked: Map<string, string>): AsyncGenerator<Uint8Array> {
  const stat = await lstat(path);
  if (stat.isDirectory()) {
    yield header(`${name}/`, "directory", stat);
    for (const child of (await readdir(path)).sort()) yield* entries(join(path, child), `${name}/${child}`, linked);
    return;
  }
  const inode = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1 ? linked.get(inode) : undefined;
  if (first !== undefined) {
    yield header(name, "hardlink", stat, { linkName: first });
    return;
  }
  linked.set(inode, name);
  if (stat.isSymbolicLink()) yield header(name, "symlink", stat, { linkName: await readlink(path) });
  else if (stat.isFile()) yield* file(path, name, stat);
  else if (stat.isFIFO()) yield header(name, "fifo", stat);
  else if (!stat.isSocket()) yield header(name, stat.isBlockDevice() ? "block" : "character", stat);
}

async function* file(path: string, name: string, stat: Stats): AsyncGenerator<Uint8Array> {
  yield header(name, "file", stat, { size: stat.size });
  let left = stat.size;
  if (left > 0) {
    // No more than was promised, should the file grow meanwhile.
    for await (const chunk of createReadStream(path, { end: stat.size - 1, highWaterMark: 256 * 1024 })) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  for (; left > 0; left -= Math.min(left, 65536)) yield Buffer.alloc(Math.min(left, 65536));
  yield Buffer.alloc(tarPadding(stat.size));
}

function header(name: string, type: TarEntry["type"], stat: Stats, more: Partial<TarEntry> = {}): Buffer {
  const bytes = (text: string) => Buffer.from(text).toString("latin1");
  const { uid, gid, rdev } = stat;
  const common = { type, mode: stat.mode & 0o7777, uid, gid, size: 0, xattrs: [], sparse: false };
  const mtime = { seconds: Math.floor(stat.mtimeMs / 1000), nanoseconds: 0 };
  // dev_t of glibc: major in bits 8 to 19, minor below and above.
  const device = { major: Math.floor(rdev / 256) % 4096, minor: (rdev % 256) + Math.floor(rdev / 2 ** 20) * 256 };
  const linkName = bytes(more.linkName ?? "");
  return tarHeader({ ...common, mtime, ...device, ...more, name: bytes(name), linkName });
}
