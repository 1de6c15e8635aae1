import { batch } from "./batch.ts";
import { setLink } from "./route/set.ts";

/** A network namespace's loopback is always its first link. */
export const loopbackIndex = 1;

/** Brings a link up, as `ip link set up`. The kernel answers with an acknowledgement. Needs CAP_NET_ADMIN in its namespace. */
export function linkUp(index: number, sequence: number): Uint8Array {
  return batch([setLink(index, { up: true })], sequence);
}
