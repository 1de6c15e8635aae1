import { type FileHandle, open, stat } from "node:fs/promises";

const readSize = 512 * 1024;

/** One open log file: it stays the same file when the monitor rotates it away. */
export class LogFile {
  readonly #handle: FileHandle;
  readonly inode: number;
  readonly #buffer = Buffer.allocUnsafeSlow(readSize);
  #position: number;

  private constructor(handle: FileHandle, inode: number, position: number) {
    this.#handle = handle;
    this.inode = inode;
    this.#position = position;
  }

  /** Undefined when there is no such file. */
  static async open(path: string, position = 0): Promise<LogFile | undefined> {
    try {
      const handle = await open(path, "r");
      return new LogFile(handle, (await handle.stat()).ino, position);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** What comes next, up to half a mebibyte; empty at the end. Valid until the next read, which uses its memory again. */
  async read(): Promise<Buffer> {
    const { bytesRead } = await this.#handle.read(this.#buffer, 0, readSize, this.#position);
    this.#position += bytesRead;
    return this.#buffer.subarray(0, bytesRead);
  }

  /** Steps back over bytes that were read and are no complete record yet. */
  unread(count: number): void {
    this.#position -= count;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** "log" for 0, "log.1" for the one before it. */
export function rotated(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`;
}

/** How many files there are besides the current one. */
export async function countRotated(path: string): Promise<number> {
  let count = 0;
  while ((await inodeOf(rotated(path, count + 1))) !== undefined) count++;
  return count;
}

export async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
