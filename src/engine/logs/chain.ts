import { Lock } from "../container/lock.ts";
import { inodeOf, LogFile, ReadMemory, rotated } from "./files.ts";
import { endOfRecords, headerSize, lengthAt } from "./record.ts";
import type { LogStart } from "./start.ts";

/**
 * Reads a log's files one after the other, oldest first, as one: the file that was current stays open while the monitor
 * rotates it away, and the ones after it are found by its inode.
 */
export class LogChain {
  readonly #path: string;
  readonly #memory = new ReadMemory();
  /** Reading and holding take turns. */
  readonly #lock = new Lock();
  #file: LogFile | undefined;
  #closed = false;
  /** Younger than the file, oldest first: open because nobody will find them by name. */
  #held: LogFile[] = [];
  #skip: number;

  private constructor(path: string, file: LogFile | undefined, skip: number) {
    this.#path = path;
    this.#file = file;
    this.#skip = skip;
  }

  static async open(path: string, start: LogStart): Promise<LogChain> {
    if (start.offset !== Number.POSITIVE_INFINITY) {
      return new LogChain(path, await LogFile.open(rotated(path, start.file), start.offset), start.skip);
    }
    const file = await LogFile.open(path);
    await file?.toEnd();
    return new LogChain(path, file, 0);
  }

  /**
   * The next records, bytes and all; none when everything written so far has been read. Valid until the next but one is
   * asked for.
   */
  read(): Promise<Buffer> {
    return this.#lock.run(() => this.#read());
  }

  /** Opens all that there is, which nobody writes to any more: it can be read to its end when the files have gone. */
  hold(): Promise<void> {
    return this.#lock.run(async () => {
      if (this.#closed) return;
      this.#file ??= await LogFile.open(this.#path);
      if (this.#file === undefined || this.#held.length > 0) return;
      if ((await inodeOf(this.#path)) === this.#file.inode) return;
      for (let number = (await this.#numberOf(this.#file)) - 1; number >= 0; number--) {
        const file = await LogFile.open(rotated(this.#path, number));
        if (file !== undefined) this.#held.push(file);
      }
    });
  }

  close(): Promise<void> {
    return this.#lock.run(async () => {
      this.#closed = true;
      for (const file of [this.#file, ...this.#held.splice(0)]) await file?.close();
      this.#file = undefined;
    });
  }

  async #read(): Promise<Buffer> {
    this.#file ??= await LogFile.open(this.#path);
    while (this.#file !== undefined) {
      const bytes = await this.#records(this.#file);
      const wanted = this.#withoutSkipped(bytes);
      if (wanted.length > 0) {
        this.#memory.turn();
        return wanted;
      }
      if (bytes.length === 0 && !(await this.#advance(this.#file))) break;
    }
    return Buffer.alloc(0);
  }

  async #records(file: LogFile): Promise<Buffer> {
    const bytes = await file.read(this.#memory.current);
    const end = endOfRecords(bytes);
    file.unread(bytes.length - end);
    return bytes.subarray(0, end);
  }

  /** Cuts what is in front of the first line that is wanted out of its record: the header moves. */
  #withoutSkipped(bytes: Buffer): Buffer {
    const skip = this.#skip;
    if (skip === 0 || bytes.length === 0) return bytes;
    this.#skip = 0;
    const left = lengthAt(bytes, 0) - skip;
    if (left === 0) return bytes.subarray(headerSize + skip);
    bytes.copyWithin(skip, 0, headerSize);
    bytes.writeUInt32BE(left, skip + 4);
    return bytes.subarray(skip);
  }

  /** Goes to the next younger file; false when this is the current one. What was read to its end may have grown since. */
  async #advance(file: LogFile): Promise<boolean> {
    const held = this.#held.shift();
    if (held !== undefined) {
      await file.close();
      this.#file = held;
      return true;
    }
    if ((await inodeOf(this.#path)) === file.inode) return false;
    const last = await this.#records(file);
    file.unread(last.length);
    if (last.length > 0) return true;
    for (;;) {
      const number = await this.#numberOf(file);
      const next = await LogFile.open(rotated(this.#path, Math.max(0, number - 1)));
      // The monitor renames the oldest first: when this one's name has not changed, neither has its successor's.
      if ((await this.#numberOf(file)) === number) {
        if (next === undefined) return false;
        await file.close();
        this.#file = next;
        return true;
      }
      await next?.close();
    }
  }

  /** What its name is now; one more than the oldest's when it has none any more. */
  async #numberOf(file: LogFile): Promise<number> {
    for (let number = 1; ; number++) {
      const inode = await inodeOf(rotated(this.#path, number));
      if (inode === undefined || inode === file.inode) return number;
    }
  }
}
