import { randomBytes } from "node:crypto";

/** Bytes that compress to about a half, as programs do: every second block is random. */
export function content(size: number): Buffer {
  const block = Buffer.alloc(4096, "the quick brown fox jumps over the lazy dog ");
  const blocks = Array.from({ length: Math.ceil(size / 4096) }, (_, i) => (i % 2 === 0 ? randomBytes(4096) : block));
  return Buffer.concat(blocks).subarray(0, size);
}
