import { constants, type Stats } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readlink,
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import type { Executor } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";

/**
 * Copies what is in directory `from` into the empty directory `to`, and the attributes of `from` itself: owners, rights,
 * times, links, devices. Extended attributes stay behind. Nobody else may work in either.
 */
export async function copyTree(executor: Executor, from: string, to: string): Promise<void> {
  await new TreeCopy(executor).directory(from, to, await lstat(from));
}

class TreeCopy {
  readonly #executor: Executor;
  /** Where the first of several names of a file was copied to, by inode. */
  readonly #copied = new Map<number, string>();

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async directory(from: string, to: string, stat: Stats): Promise<void> {
    for (const name of await readdir(from)) await this.#entry(join(from, name), join(to, name));
    await attributes(to, stat);
  }

  async #entry(from: string, to: string): Promise<void> {
    const stat = await lstat(from);
    const known = this.#copied.get(stat.ino);
    if (known !== undefined && !stat.isDirectory()) return link(known, to);
    if (stat.nlink > 1) this.#copied.set(stat.ino, to);
    if (stat.isDirectory()) {
      await mkdir(to);
      return this.directory(from, to, stat);
    }
    if (stat.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (stat.isFile()) await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    else await this.#node(to, stat);
    await attributes(to, stat);
  }

  async #node(path: string, { mode, rdev }: Stats): Promise<void> {
    const p = new Program("copy a special file into a volume");
    p.call("mknodat", [f.AT_FDCWD, p.text(path), mode, rdev], { note: `make ${path}` });
    await this.#executor.run(p);
  }
}

async function attributes(path: string, stat: Stats): Promise<void> {
  if (stat.isSymbolicLink()) await lchown(path, stat.uid, stat.gid);
  else {
    await chown(path, stat.uid, stat.gid);
    // After the owner: a change of that takes set-user-id away.
    await chmod(path, stat.mode & 0o7777);
  }
  await lutimes(path, stat.atime, stat.mtime);
}
