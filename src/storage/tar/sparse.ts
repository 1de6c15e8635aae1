import { tarLimits } from "./entry.ts";
import { decimal, headerNumber } from "./numbers.ts";
import type { PaxRecords } from "./pax.ts";

/** A piece of a sparse file that has data; what lies between is holes. */
export interface Region {
  readonly offset: number;
  readonly size: number;
}

/** Bytes that one entry {offset, size} of an old GNU map takes. */
const ENTRY = 24;

/** Adds up to `count` entries of an old GNU map ('S') at `at` of a block; an empty one ends it. */
export function addOldRegions(regions: Region[], block: Buffer, at: number, count: number): boolean {
  for (let index = 0; index < count; index++) {
    const entry = at + index * ENTRY;
    if (block[entry] === 0 && block[entry + 12] === 0) return true;
    const offset = headerNumber(block, entry, 12);
    const size = headerNumber(block, entry + 12, 12);
    if (offset === undefined || size === undefined) return false;
    regions.push({ offset, size });
  }
  return true;
}

/** The map of GNU.sparse format 0.0 or 0.1; undefined when the records have none, a string when it is malformed. */
export function regionsOfRecords(records: PaxRecords): Region[] | string | undefined {
  const map = records.values.get("GNU.sparse.map");
  if (map !== undefined) return pairs(map === "" ? [] : map.split(","));
  if (records.sparse.length === 0) return records.values.has("GNU.sparse.size") ? [] : undefined;
  const numbers: string[] = [];
  for (let index = 0; index < records.sparse.length; index += 2) {
    const wanted = index % 4 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes";
    if (records.sparse[index] !== wanted) return "a sparse map out of order";
    numbers.push(records.sparse[index + 1] ?? "");
  }
  return pairs(numbers);
}

/**
 * The map of format 1.0, in front of the file's data: decimal numbers, each ended by a newline; first the count.
 * Undefined while `bytes` does not hold all of it; else the regions and how many bytes the map takes, unpadded.
 */
export function regionsOfData(bytes: Buffer): { regions: Region[]; length: number } | string | undefined {
  let at = bytes.indexOf(0x0a);
  if (at < 0) return bytes.length > 32 ? "a sparse map without a count" : undefined;
  const count = decimal(bytes.toString("latin1", 0, at));
  if (count === undefined || count > tarLimits.sparseRegions) return "a sparse map of an impossible size";
  const numbers: string[] = [];
  for (at++; numbers.length < count * 2; ) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return bytes.length - at > 32 ? "a sparse map that is no number" : undefined;
    numbers.push(bytes.toString("latin1", at, end));
    at = end + 1;
  }
  const regions = pairs(numbers);
  return typeof regions === "string" ? regions : { regions, length: at };
}

function pairs(numbers: readonly string[]): Region[] | string {
  const regions: Region[] = [];
  if (numbers.length % 2 !== 0) return "a sparse map that ends in the middle";
  for (let index = 0; index < numbers.length; index += 2) {
    const offset = decimal(numbers[index] ?? "");
    const size = decimal(numbers[index + 1] ?? "");
    if (offset === undefined || size === undefined) return "a sparse map that is no number";
    regions.push({ offset, size });
  }
  return regions;
}

/** What is wrong with a map for a file of `fileSize` whose data in the archive is `dataSize`; undefined: nothing. */
export function sparseProblem(regions: readonly Region[], fileSize: number, dataSize: number): string | undefined {
  if (regions.length > tarLimits.sparseRegions) return "a sparse map of an impossible size";
  let end = 0;
  let sum = 0;
  for (const { offset, size } of regions) {
    if (offset < end || offset + size > fileSize) return "a sparse map whose regions overlap or leave the file";
    end = offset + size;
    sum += size;
  }
  return sum === dataSize ? undefined : "a sparse map that does not match the data";
}
