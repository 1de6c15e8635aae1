import { type FileHandle, open, stat } from "node:fs/promises";

/** More than the largest record. */
const readSize = 512 * 1024;

/** One open log file: it stays the same file when the monitor rotates it away. */
export class LogFile {
  readonly #handle: FileHandle;
  readonly inode: number;
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

  /** What comes next, as much as `memory` holds; empty at the end. */
  async read(memory: Buffer): Promise<Buffer> {
    const { bytesRead } = await this.#handle.read(memory, 0, memory.length, this.#position);
    this.#position += bytesRead;
    return memory.subarray(0, bytesRead);
  }

  /** Steps back over bytes that were read and are no complete record yet. */
  unread(count: number): void {
    this.#position -= count;
  }

  async toEnd(): Promise<void> {
    this.#position = (await this.#handle.stat()).size;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Memory for reading, twice: what was read last is used while the next is read. */
export class ReadMemory {
  readonly #both: Buffer[] = [];
  #turn = 0;

  get current(): Buffer {
    this.#both[this.#turn] ??= Buffer.allocUnsafeSlow(readSize);
    return this.#both[this.#turn] as Buffer;
  }

  /** What was read is going to be used. */
  turn(): void {
    this.#turn = 1 - this.#turn;
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
