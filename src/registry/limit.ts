import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { SampanError } from "../errors/index.ts";
import { transferError } from "./errors.ts";

/** Reads a whole body of at most `limit` bytes; more is an error, never a shorter result. */
export async function readBounded(
  from: { body: IncomingMessage; headers: IncomingHttpHeaders },
  limit: number,
  what: string,
): Promise<Buffer> {
  const { body } = from;
  if (Number(from.headers["content-length"] ?? 0) > limit) {
    body.destroy();
    throw tooLarge(what, limit);
  }
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > limit) throw tooLarge(what, limit);
      pieces.push(piece);
    }
  } catch (cause) {
    throw transferError(what, cause);
  }
  return Buffer.concat(pieces, size);
}

function tooLarge(what: string, limit: number): SampanError {
  return new SampanError("invalid", `Cannot read ${what}: it is larger than the limit of ${limit} bytes`);
}
