import { type FileHandle, open } from "node:fs/promises";
import { countRotated, rotated } from "./files.ts";
import { firstRecord, headerSize, isHeader, maxPayload, timeAt } from "./record.ts";

/** A place to begin reading: the file's number, the record's offset, and how many bytes of its payload to leave out. */
export interface LogStart {
  readonly file: number;
  readonly offset: number;
  readonly skip: number;
}

/** Below this it is not worth searching. */
const small = 1024 * 1024;
/** Whatever record begins here or went on from before, the beginning of one is in it. */
const block = 2 * (maxPayload + headerSize);

/**
 * Where to begin reading what was written at `since` or later: found by the times in the headers, by halves, so that a long
 * log costs some twenty reads. Something earlier may still come. Without `since` it is the beginning.
 */
export async function findStart(path: string, since: bigint | undefined): Promise<LogStart> {
  const oldest = await countRotated(path);
  if (since === undefined) return { file: oldest, offset: 0, skip: 0 };
  for (let file = 0; file <= oldest; file++) {
    const handle = await open(rotated(path, file), "r").catch(() => undefined);
    if (handle === undefined) continue;
    try {
      const first = await headerAt(handle, 0);
      if (first === undefined || (first >= since && file < oldest)) continue;
      const offset = first >= since ? 0 : await findIn(handle, { first, since });
      return { file, offset, skip: 0 };
    } finally {
      await handle.close();
    }
  }
  return { file: oldest, offset: 0, skip: 0 };
}

/** The last place known to begin with a record that is earlier than `since`, give or take a megabyte. */
async function findIn(handle: FileHandle, { first, since }: { first: bigint; since: bigint }): Promise<number> {
  const latest = BigInt(Date.now() + 1000) * 1_000_000n;
  const plausible = (time: bigint) => time >= first && time <= latest;
  const memory = Buffer.allocUnsafe(block);
  let low = 0;
  let high = (await handle.stat()).size;
  while (high - low > small) {
    const middle = Math.floor((low + high) / 2);
    const { bytesRead } = await handle.read(memory, 0, block, middle);
    const bytes = memory.subarray(0, bytesRead);
    const at = firstRecord(bytes, plausible);
    if (at < bytes.length && timeAt(bytes, at) < since) low = middle + at;
    else high = middle;
  }
  return low;
}

async function headerAt(handle: FileHandle, offset: number): Promise<bigint | undefined> {
  const header = Buffer.alloc(headerSize);
  await handle.read(header, 0, headerSize, offset);
  return isHeader(header, 0) ? timeAt(header, 0) : undefined;
}
