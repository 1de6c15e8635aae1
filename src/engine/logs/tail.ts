import { open } from "node:fs/promises";
import { countRotated, rotated } from "./files.ts";
import { firstRecord, parseRecords } from "./record.ts";
import type { LogStart } from "./start.ts";

/** Enough for most; then larger ones, in which a record begins for certain. */
const firstBlock = 64 * 1024;
const furtherBlock = 1024 * 1024;
const newline = 10;

/**
 * Where the last `lines` lines of both streams begin, found block by block from the end: a long log costs no more time
 * than a short one, and no more memory however many lines are asked for. As dockerd counts them: who then reads one stream
 * only may get fewer.
 */
export async function findTail(path: string, lines: number): Promise<LogStart> {
  const oldest = await countRotated(path);
  if (lines <= 0) return { file: 0, offset: Number.POSITIVE_INFINITY, skip: 0 };
  let wanted = lines;
  let first = true;
  for (let file = 0; file <= oldest; file++) {
    const found = await searchFile(rotated(path, file), wanted, first);
    if (found.start !== undefined) return { file, ...found.start };
    wanted -= found.lines;
    first &&= !found.any;
  }
  return { file: oldest, offset: 0, skip: 0 };
}

interface Search {
  readonly start?: { readonly offset: number; readonly skip: number };
  /** Newlines that were passed; the one that ends the log is none of them. */
  readonly lines: number;
  readonly any: boolean;
}

async function searchFile(path: string, lines: number, last: boolean): Promise<Search> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return { lines: 0, any: false };
  try {
    let passed = 0;
    let any = false;
    let length = firstBlock;
    for (let end = (await handle.stat()).size; end > 0; ) {
      const from = Math.max(0, end - length);
      const block = Buffer.alloc(end - from);
      await handle.read(block, 0, block.length, from);
      const base = from === 0 ? 0 : firstRecord(block);
      length = Math.max(furtherBlock, base === block.length ? 2 * length : 0);
      if (base === block.length) continue;
      const search = searchBlock(block.subarray(base), { lines: lines - passed, last: last && !any });
      if (search.start !== undefined)
        return { ...search, start: { ...search.start, offset: search.start.offset + from + base } };
      passed += search.lines;
      any ||= search.any;
      end = from + base;
    }
    return { lines: passed, any };
  } finally {
    await handle.close();
  }
}

interface Wanted {
  readonly lines: number;
  /** The block ends where the log ends: its last newline ends the last line and separates nothing. */
  readonly last: boolean;
}

function searchBlock(block: Buffer, { lines, last }: Wanted): Search {
  const records = parseRecords(block);
  let passed = 0;
  let atEnd = last;
  for (const record of records.toReversed()) {
    const { payload } = record;
    for (let at = payload.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : payload.lastIndexOf(newline, at - 1)) {
      const closes = atEnd && at === payload.length - 1;
      atEnd = false;
      if (closes) continue;
      if (++passed < lines) continue;
      return {
        start: { offset: record.offset, skip: at + 1 },
        lines: passed,
        any: true,
      };
    }
    atEnd = false;
  }
  return { lines: passed, any: records.length > 0 };
}
