import { inodeOf, LogFile, rotated } from "./files.ts";
import { type LogRecord, parseRecords } from "./record.ts";
import type { LogStart } from "./tail.ts";

/**
 * Reads a log's files one after the other, oldest first, as one: the file that was current stays open while the monitor
 * rotates it away, and the ones after it are found by its inode.
 */
export class LogChain {
  readonly #path: string;
  #file: LogFile | undefined;
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
    if (file !== undefined) while ((await file.read()).length > 0);
    return new LogChain(path, file, 0);
  }

  /** The next records; none when everything written so far has been read. */
  async read(): Promise<LogRecord[]> {
    this.#file ??= await LogFile.open(this.#path);
    while (this.#file !== undefined) {
      const bytes = await this.#file.read();
      const { records, end } = parseRecords(bytes);
      this.#file.unread(bytes.length - end);
      const wanted = this.#withoutSkipped(records);
      if (wanted.length > 0) return wanted;
      if (records.length === 0 && !(await this.#advance(this.#file))) return [];
    }
    return [];
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #withoutSkipped(records: LogRecord[]): LogRecord[] {
    const [first, ...rest] = records;
    if (this.#skip === 0 || first === undefined) return records;
    const payload = first.payload.subarray(this.#skip);
    this.#skip = 0;
    if (payload.length === 0) return rest;
    const frameHeader = Buffer.from(first.frameHeader);
    frameHeader.writeUInt32BE(payload.length, 4);
    return [{ ...first, payload, frameHeader }, ...rest];
  }

  /** Goes to the next younger file; false when this is the current one. What was read to its end may have grown since. */
  async #advance(file: LogFile): Promise<boolean> {
    if ((await inodeOf(this.#path)) === file.inode) return false;
    const last = await file.read();
    file.unread(last.length);
    if (parseRecords(last).records.length > 0) return true;
    let number = 1;
    for (let inode = await inodeOf(rotated(this.#path, number)); inode !== undefined && inode !== file.inode; ) {
      number++;
      inode = await inodeOf(rotated(this.#path, number));
    }
    const next = (await LogFile.open(rotated(this.#path, number - 1))) ?? (await LogFile.open(this.#path));
    if (next === undefined) return false;
    await file.close();
    this.#file = next;
    return true;
  }
}
