import type { Hole } from "./attribute.ts";
import { NLM_F_ACK, type Request, writeMessage } from "./message.ts";
import { Writer } from "./writer.ts";

/** Bytes to send, and where in them something is still to be filled in. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** Offset in `bytes` of the four bytes that each hole stands for. */
  readonly holes: ReadonlyMap<Hole, number>;
}

/**
 * The messages behind each other, to be sent at once: numbered from `first` on, the last asks for an acknowledgement.
 * The kernel handles them in order, goes on after one that fails, and answers with an error for each of those: so the
 * acknowledgement of the last is the end of all answers. (One that fails answers with its errno only.)
 */
export function batch(requests: readonly Request[], first = 1): Uint8Array {
  return batchWithHoles(requests, first).bytes;
}

/** As `batch`, for messages that need a number which only the running program knows. */
export function batchWithHoles(requests: readonly Request[], first = 1): Encoded {
  return encodeRequests(requests, first, requests.length - 1);
}

/** The messages behind each other; the one at `acknowledged` asks for an acknowledgement. */
export function encodeRequests(requests: readonly Request[], first: number, acknowledged: number): Encoded {
  const writer = new Writer();
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index] as Request;
    const flags = index === acknowledged ? request.flags | NLM_F_ACK : request.flags;
    writeMessage(writer, request, flags, first + index);
  }
  return { bytes: writer.finish(), holes: writer.holes };
}
