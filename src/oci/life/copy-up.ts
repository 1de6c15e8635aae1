import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Results } from "../../kernel/results.ts";
import type { CopyUp } from "../../runtime/bundle/copy-up.ts";
import type { BundleContainer } from "../../runtime/bundle/types.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/**
 * Copies what the image has in the places of its `tmpcopyup` mounts into them. Both sides are held open by the worker `pid`,
 * whose program waits meanwhile. Links are copied and never followed: somebody else may be changing the root file system.
 * Directories, files and links are copied, with owners, rights and times, but without extended attributes.
 */
export function copyUpAll(copyUps: readonly CopyUp[], container: BundleContainer, pid: number, results: Results): void {
  for (const copyUp of copyUps) {
    const held = (descriptor: number) => open(Buffer.from(`/proc/${pid}/fd/${descriptor}`), O_RDONLY | O_DIRECTORY);
    const source = results.value(copyUp.source);
    const target = held(results.value(copyUp.target));
    try {
      if (source < 0) belongToRoot(target, container);
      else copyTop(copyUp, held(source), target);
    } catch (error) {
      const what = `Cannot copy the image's ${copyUp.mount.target} into the tmpfs there`;
      const kind = error instanceof SampanError ? error.kind : "internal";
      throw new SampanError(kind, `${what}: ${messageOf(error)}`, { cause: error });
    } finally {
      fs.closeSync(target);
    }
  }
}

/** What only the mount's own options say otherwise is as the image's directory is. */
function copyTop({ mount }: CopyUp, source: number, target: number): void {
  const given = (name: string) => mount.options.some(([option]) => option === name);
  try {
    copyDirectory(source, target);
    const { uid, gid, mode } = fs.fstatSync(source);
    if (!given("uid") && !given("gid")) fs.fchownSync(target, uid, gid);
    if (!given("mode")) fs.fchmodSync(target, mode & 0o7777);
  } finally {
    fs.closeSync(source);
  }
}

/** The worker is the machine's root, who is nobody in a user namespace. */
function belongToRoot(target: number, { mappings }: BundleContainer): void {
  const [user, group] = [mappings.users, mappings.groups].map((ranges) =>
    ranges.find(({ container }) => container === 0),
  );
  if (user !== undefined && group !== undefined) fs.fchownSync(target, user.host, group.host);
}

function open(path: Buffer, flags: number): number {
  return fs.openSync(path, flags);
}

/** The path of a name in an open directory: whatever becomes of the directory's own path. */
function at(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

function copyDirectory(source: number, target: number): void {
  for (const name of fs.readdirSync(`/proc/self/fd/${source}`, { encoding: "buffer" })) {
    const [from, to] = [at(source, name), at(target, name)];
    const stats = fs.lstatSync(from);
    if (stats.isSymbolicLink()) copyLink(from, to, stats);
    else if (stats.isDirectory()) copyBelow(from, to);
    else if (stats.isFile()) copyFile(from, to);
    else if (!stats.isSocket())
      throw new SampanError("unsupported", `${name}: only directories, files and links are copied`);
  }
}

function copyLink(from: Buffer, to: Buffer, { uid, gid, atime, mtime }: fs.Stats): void {
  fs.symlinkSync(fs.readlinkSync(from, { encoding: "buffer" }), to);
  fs.lchownSync(to, uid, gid);
  fs.lutimesSync(to, atime, mtime);
}

function copyBelow(from: Buffer, to: Buffer): void {
  const source = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    fs.mkdirSync(to, 0o700);
    const target = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      copyDirectory(source, target);
    } finally {
      fs.closeSync(target);
    }
    takeOver(to, fs.fstatSync(source));
  } finally {
    fs.closeSync(source);
  }
}

function copyFile(from: Buffer, to: Buffer): void {
  const source = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    fs.copyFileSync(`/proc/self/fd/${source}`, to, fs.constants.COPYFILE_EXCL);
    takeOver(to, fs.fstatSync(source));
  } finally {
    fs.closeSync(source);
  }
}

/** A change of owner takes set-id bits away: rights come after. */
function takeOver(path: Buffer, { uid, gid, mode, atime, mtime }: fs.Stats): void {
  fs.chownSync(path, uid, gid);
  fs.chmodSync(path, mode & 0o7777);
  fs.utimesSync(path, atime, mtime);
}
