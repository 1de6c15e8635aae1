import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { SampanError } from "../errors/index.ts";
import { decompressedByProgram } from "./decompressor.ts";

/** Inflated pieces of this size halve the time of Node's default of 16 KiB; larger ones gain nothing. */
const chunkSize = 256 * 1024;

type Format = "gzip" | "zstd" | "xz" | "bzip2" | "none";

/** What compressed the bytes that begin so; at least the first 6 are needed. Media types are not to be trusted here. */
export function formatOf(head: Uint8Array): Format {
  const at = (i: number) => head[i] ?? -1;
  if (at(0) === 0x1f && at(1) === 0x8b) return "gzip";
  if (at(0) === 0x28 && at(1) === 0xb5 && at(2) === 0x2f && at(3) === 0xfd) return "zstd";
  // A skippable frame (RFC 8878, 3.1.2) in front.
  if ((at(0) & 0xf0) === 0x50 && at(1) === 0x2a && at(2) === 0x4d && at(3) === 0x18) return "zstd";
  if (at(0) === 0xfd && at(1) === 0x37 && at(2) === 0x7a && at(3) === 0x58 && at(4) === 0x5a) return "xz";
  if (at(0) === 0x42 && at(1) === 0x5a && at(2) === 0x68) return "bzip2";
  return "none";
}

/**
 * The bytes without their compression: gzip, zstd (both also of several members), xz and bzip2 where this machine has the
 * programs for them, or none, by what they begin with. `what` names them in errors: kind "invalid" when damaged or cut off,
 * "unsupported" without the program.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, what: string): AsyncIterable<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const { head, rest } = await peek(iterator);
    const format = formatOf(head);
    if (format === "none") yield* rest;
    else if (format === "xz" || format === "bzip2") yield* decompressedByProgram(rest, format, what);
    else yield* inflate(rest, transformOf(format), `${what}: its ${format} data are damaged`);
  } finally {
    await iterator.return?.();
  }
}

function transformOf(format: "gzip" | "zstd"): Transform {
  return format === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
}

async function peek(iterator: AsyncIterator<Uint8Array>) {
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < 6) {
    const next = await iterator.next();
    if (next.done) break;
    pieces.push(next.value);
    size += next.value.byteLength;
  }
  async function* rest(): AsyncIterable<Uint8Array> {
    yield* pieces;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(pieces), rest: rest() };
}

async function* inflate(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  what: string,
): AsyncIterable<Uint8Array> {
  const feeding = feed(source, transform);
  // The same error arrives by the iteration below.
  feeding.catch(() => undefined);
  try {
    yield* transform as AsyncIterable<Uint8Array>;
    await feeding;
  } catch (cause) {
    throw isZlibError(cause) ? new SampanError("invalid", `Cannot read ${what}: ${cause.message}`, { cause }) : cause;
  } finally {
    transform.destroy();
    await feeding.catch(() => undefined);
  }
}

/**
 * Writes the source into the transform. Bytes behind the compressed data are passed over as by gzip(1), but read: who
 * verifies the source has to see them. (`pipeline` would end there with an AbortError.)
 */
async function feed(source: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  try {
    for await (const piece of source) {
      if (transform.readableEnded) continue;
      if (transform.destroyed) return;
      if (!transform.write(piece)) await drained(transform);
    }
    transform.end();
  } catch (error) {
    transform.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

function drained(transform: Transform): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "end", "close"]) transform.off(event, done);
      resolve();
    };
    for (const event of ["drain", "end", "close"]) transform.once(event, done);
  });
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z(STD)?_/.test(String(error.code));
}
