import { type BuiltEntry, buildEntry } from "./build-entry.ts";
import { malformed, readable, type TarHandler, tarLimits } from "./entry.ts";
import { BLOCK, checksumMatches, isZeroBlock, type RawHeader, readHeader } from "./header.ts";
import { decimal, headerNumber } from "./numbers.ts";
import { mergeRecords, noRecords, type PaxRecords, parsePax } from "./pax.ts";
import { addOldRegions, type Region, regionsOfData, regionsOfRecords, sparseProblem } from "./sparse.ts";

/** Headers whose data describes the next entry: PAX local, global and Solaris's, GNU's long name and long link. */
const METADATA = "xgXLK";

/** What the next bytes are. */
type State = "header" | "metadata" | "old sparse map" | "sparse map" | "data" | "padding" | "after the end";

/**
 * Reads a tar archive that comes in pieces of any size: v7, ustar, PAX (local and global), GNU (long names, base-256
 * numbers) and the sparse files of GNU tar, old, 0.0, 0.1 and 1.0. Nothing is copied but headers that a piece's end has cut.
 *
 * Life: `push` for every piece, which calls the handler synchronously → `finish`. Errors are of kind "invalid" and
 * say at which byte; what the handler throws passes through. After an error the parser is of no further use.
 */
export class TarParser {
  readonly #handler: TarHandler;
  #state: State = "header";
  /** Bytes of the archive before the piece at hand. */
  #before = 0;
  /** Collects a block, or metadata, that comes in several pieces. */
  #collected: Buffer[] = [];
  #wanted = BLOCK;
  #zeroBlocks = 0;
  #entries = 0;
  #global: PaxRecords = noRecords();
  #local: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #raw: RawHeader | undefined;
  #built: BuiltEntry | undefined;
  #regions: Region[] = [];
  /** The region that the next byte of data belongs to, and how many of its bytes have come. */
  #region = 0;
  #inRegion = 0;
  #left = 0;
  #padding = 0;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Reads the next piece. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === "after the end") break;
      if (this.#state === "data") at = this.#takeData(piece, at);
      else if (this.#state === "padding") at = this.#takePadding(piece, at);
      else at = this.#collect(piece, at);
    }
    this.#before += piece.length;
  }

  /** The next `size` bytes lie at `at` of the archive's own file; they are data of one entry. */
  copied(at: number, size: number): void {
    const region = this.#regions[this.#region];
    if (this.#state !== "data" || !region || size > region.size - this.#inRegion || !this.#handler.copied) {
      throw malformed(`${size} bytes that are no file's`, this.#before);
    }
    this.#handler.copied(at, size, region.offset + this.#inRegion);
    this.#before += size;
    this.#left -= size;
    this.#inRegion += size;
    if (this.#inRegion === region.size) {
      this.#region++;
      this.#inRegion = 0;
    }
    if (this.#left === 0) this.#endEntry();
  }

  /** There is nothing more: an error when that is in the middle of an entry. A missing end mark is none. */
  finish(): void {
    const clean = this.#state === "after the end" || (this.#state === "header" && this.#collected.length === 0);
    if (!clean || this.#local || this.#longName !== undefined || this.#longLink !== undefined) {
      throw malformed("it ends in the middle of an entry", this.#before);
    }
  }

  #collect(piece: Buffer, from: number): number {
    const size = Math.min(this.#wanted, piece.length - from);
    const part = piece.subarray(from, from + size);
    this.#wanted -= size;
    if (this.#wanted > 0) {
      this.#collected.push(Buffer.from(part));
      return from + size;
    }
    const whole = this.#collected.length > 0 ? Buffer.concat([...this.#collected, part]) : part;
    this.#collected = [];
    this.#wanted = BLOCK;
    const where = this.#before + from + size - whole.length;
    if (this.#state === "header") this.#takeHeader(whole, where);
    else if (this.#state === "metadata") this.#takeMetadata(whole, where);
    else if (this.#state === "old sparse map") this.#takeOldMap(whole, where);
    else this.#takeMap(whole, where);
    return from + size;
  }

  #takeHeader(block: Buffer, where: number): void {
    if (isZeroBlock(block)) {
      if (++this.#zeroBlocks === 2) this.#state = "after the end";
      return;
    }
    if (this.#zeroBlocks > 0) throw malformed("an entry after the end mark", where);
    if (!checksumMatches(block)) throw malformed("a header with a wrong checksum", where);
    const raw = readHeader(block);
    if (typeof raw === "string") throw malformed(raw, where);
    if (++this.#entries > tarLimits.entries) throw malformed(`more than ${tarLimits.entries} entries`, where);
    this.#raw = raw;
    if (METADATA.includes(raw.type)) this.#expectMetadata(raw, where);
    else if (raw.type === "V") this.#skip(Math.ceil(Math.max(0, raw.size) / BLOCK) * BLOCK);
    else this.#startEntry(block, raw, where);
  }

  #expectMetadata(raw: RawHeader, where: number): void {
    if (raw.size < 0 || raw.size > tarLimits.extendedHeader) {
      throw malformed(`an extended header of ${raw.size} bytes, at most ${tarLimits.extendedHeader}`, where);
    }
    this.#state = "metadata";
    this.#wanted = raw.size;
    if (raw.size === 0) this.#takeMetadata(Buffer.alloc(0), where);
  }

  #takeMetadata(bytes: Buffer, where: number): void {
    const type = this.#raw?.type;
    if (type === "L" || type === "K") {
      const end = bytes.indexOf(0);
      const text = bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
      if (type === "L") this.#longName = text;
      else this.#longLink = text;
    } else {
      const records = parsePax(bytes);
      if (typeof records === "string") throw malformed(records, where);
      if (type === "g") this.#global = mergeRecords(this.#global, records);
      else this.#local = records;
    }
    this.#skip(-bytes.length & (BLOCK - 1));
  }

  #startEntry(block: Buffer, raw: RawHeader, where: number): void {
    const hasGlobal = this.#global.values.size > 0 || this.#global.xattrs.size > 0;
    const records = hasGlobal ? mergeRecords(this.#global, this.#local ?? noRecords()) : this.#local;
    const built = buildEntry(raw, { records, longName: this.#longName, longLink: this.#longLink });
    if (typeof built === "string") throw malformed(built, where);
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#built = built;
    this.#regions = [];
    if (raw.type === "S" && raw.dialect === "gnu") this.#startOldSparse(block, built, where);
    else if (records && built.entry.type === "file") this.#startRecorded(records, built, where);
    else this.#begin(built, [{ offset: 0, size: built.dataSize }], false);
  }

  /** Hands the entry over; what follows is data of the regions. */
  #begin(built: BuiltEntry, regions: Region[], sparse: boolean): void {
    this.#built = undefined;
    this.#regions = regions;
    this.#region = 0;
    this.#inRegion = 0;
    this.#left = built.dataSize;
    this.#padding = -built.dataSize & (BLOCK - 1);
    this.#handler.entry(sparse ? { ...built.entry, sparse } : built.entry);
    this.#state = "data";
    if (this.#left === 0) this.#endEntry();
  }

  #beginSparse(built: BuiltEntry, regions: Region[], where: number): void {
    const problem = sparseProblem(regions, built.entry.size, built.dataSize);
    if (problem) throw malformed(`${problem}: ${readable(built.entry.name)}`, where);
    this.#begin(built, regions, true);
  }

  #startOldSparse(block: Buffer, built: BuiltEntry, where: number): void {
    const size = headerNumber(block, 483, 12);
    if (size === undefined || size > tarLimits.fileSize || !addOldRegions(this.#regions, block, 386, 4)) {
      throw malformed(`a sparse map that is no number: ${readable(built.entry.name)}`, where);
    }
    const whole = { dataSize: built.dataSize, entry: { ...built.entry, size } };
    this.#built = whole;
    this.#state = "old sparse map";
    if (block[482] === 0) this.#beginSparse(whole, this.#regions, where);
  }

  #takeOldMap(block: Buffer, where: number): void {
    const built = this.#built;
    if (!built) return;
    if (!addOldRegions(this.#regions, block, 0, 21) || this.#regions.length > tarLimits.sparseRegions) {
      throw malformed(`a sparse map of an impossible size: ${readable(built.entry.name)}`, where);
    }
    if (block[504] === 0) this.#beginSparse(built, this.#regions, where);
  }

  /** An entry with PAX records: possibly sparse in one of the newer formats. */
  #startRecorded(records: PaxRecords, built: BuiltEntry, where: number): void {
    const { values } = records;
    const size = values.get("GNU.sparse.realsize") ?? values.get("GNU.sparse.size");
    if (size === undefined) {
      this.#begin(built, [{ offset: 0, size: built.dataSize }], false);
      return;
    }
    const fileSize = decimal(size);
    if (fileSize === undefined || fileSize > tarLimits.fileSize) {
      throw malformed(`an impossible size of ${readable(built.entry.name)}`, where);
    }
    const whole = { dataSize: built.dataSize, entry: { ...built.entry, size: fileSize } };
    if (values.get("GNU.sparse.major") === "1" && values.get("GNU.sparse.minor") === "0") {
      if (built.dataSize < BLOCK) throw malformed("a sparse file without a map", where);
      this.#built = whole;
      this.#state = "sparse map";
      return;
    }
    const regions = regionsOfRecords(records);
    if (typeof regions === "string") throw malformed(`${regions}: ${readable(built.entry.name)}`, where);
    this.#beginSparse(whole, regions ?? [], where);
  }

  /** A block more of the map of format 1.0, which is the first part of the entry's data. */
  #takeMap(bytes: Buffer, where: number): void {
    const built = this.#built;
    if (!built) return;
    const map = regionsOfData(bytes);
    if (typeof map === "string") throw malformed(`${map}: ${readable(built.entry.name)}`, where);
    if (map === undefined) {
      // Twice as much each time, so that a long map is not read over and over.
      const more = Math.min(bytes.length, Math.floor((built.dataSize - bytes.length) / BLOCK) * BLOCK);
      if (more <= 0) throw malformed(`a sparse map that ends in the middle: ${readable(built.entry.name)}`, where);
      this.#collected = [Buffer.from(bytes)];
      this.#wanted = more;
      return;
    }
    const length = Math.ceil(map.length / BLOCK) * BLOCK;
    this.#beginSparse({ ...built, dataSize: built.dataSize - length }, map.regions, where);
    // The doubling may have read into the data.
    if (length < bytes.length) this.#replay(bytes.subarray(length));
  }

  #replay(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") at = this.#takeData(bytes, at);
      else if (this.#state === "padding") at = this.#takePadding(bytes, at);
      else return;
    }
  }

  #takeData(piece: Buffer, from: number): number {
    let at = from;
    while (this.#left > 0 && at < piece.length) {
      const region = this.#regions[this.#region];
      if (!region) break;
      const size = Math.min(region.size - this.#inRegion, piece.length - at);
      if (size > 0) this.#handler.data(piece.subarray(at, at + size), region.offset + this.#inRegion);
      at += size;
      this.#left -= size;
      this.#inRegion += size;
      if (this.#inRegion < region.size) break;
      this.#region++;
      this.#inRegion = 0;
    }
    if (this.#left === 0) this.#endEntry();
    return at;
  }

  #endEntry(): void {
    this.#handler.end();
    this.#state = this.#padding > 0 ? "padding" : "header";
  }

  /** Ignores `size` bytes. */
  #skip(size: number): void {
    this.#padding = size;
    this.#state = size > 0 ? "padding" : "header";
  }

  #takePadding(piece: Buffer, from: number): number {
    const size = Math.min(this.#padding, piece.length - from);
    this.#padding -= size;
    if (this.#padding === 0) this.#state = "header";
    return from + size;
  }
}
