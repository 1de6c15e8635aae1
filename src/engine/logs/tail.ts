import { open } from "node:fs/promises";
import { countRotated, rotated } from "./files.ts";
import { firstRecord, parseRecords } from "./record.ts";
import type { LogStart } from "./start.ts";

const firstBlock = 64 * 1024;
const newline = 10;

/**
 * Where the last `lines` lines of both streams begin, found from the end in blocks that double: a long log costs no more
 * than a short one. As dockerd counts them: who then reads one stream only may get fewer.
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
    const { size } = await handle.stat();
    for (let length = firstBlock; ; length *= 4) {
      const from = Math.max(0, size - length);
      const block = Buffer.allocUnsafe(size - from);
      await handle.read(block, 0, block.length, from);
      const base = from === 0 ? 0 : firstRecord(block);
      const search = searchBlock(block.subarray(base), { lines, last });
      if (search.start !== undefined)
        return { ...search, start: { ...search.start, offset: search.start.offset + from + base } };
      if (from === 0) return search;
    }
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
