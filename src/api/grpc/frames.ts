import { SampanError } from "../../errors/index.ts";

const headerSize = 5;

/** Bytes of the largest message that is taken: what BuildKit's clients send and take, too. */
export const messageLimit: number = 16 * 1024 * 1024;

/** A message behind its header: not compressed, then its length in four bytes. */
export function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(headerSize);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Takes a stream of gRPC apart, wherever it is cut. "invalid" for what is compressed, too large, or ends in a message. */
export async function* messagesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  let wanted = headerSize;
  for await (const chunk of stream) {
    pending.push(chunk);
    size += chunk.length;
    if (size < wanted) continue;
    let bytes = Buffer.concat(pending);
    for (;;) {
      wanted = sizeOf(bytes);
      if (bytes.length < wanted || bytes.length < headerSize) break;
      yield bytes.subarray(headerSize, wanted);
      bytes = bytes.subarray(wanted);
    }
    pending = [bytes];
    size = bytes.length;
  }
  if (size > 0) throw new SampanError("invalid", "Cannot read a gRPC message: the stream ends in it");
}

/** Of the message that begins there, with its header. */
function sizeOf(bytes: Buffer): number {
  if (bytes.length < headerSize) return headerSize;
  if (bytes[0] !== 0) throw new SampanError("invalid", "Cannot read a gRPC message: it is compressed");
  const length = bytes.readUInt32BE(1);
  if (length > messageLimit) {
    throw new SampanError("invalid", `Cannot read a gRPC message: it is larger than ${messageLimit} bytes`);
  }
  return headerSize + length;
}
