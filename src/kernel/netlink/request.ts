import { named, type Ref, type Slot } from "../block.ts";
import * as f from "../flags.ts";
import type { Program, StepOptions } from "../program.ts";

const protocols = { NETLINK_ROUTE: 0, NETLINK_NETFILTER: 12 } as const;

/** A netlink socket of the network namespace that the process is in at that step; it stays there. netlink(7). */
export function openNetlink(p: Program, protocol: keyof typeof protocols, note: string): Slot {
  return p.sys(
    "socket",
    [
      named(f.AF_NETLINK, "AF_NETLINK"),
      named(f.SOCK_RAW | f.SOCK_CLOEXEC, "SOCK_RAW|SOCK_CLOEXEC"),
      named(protocols[protocol], protocol),
    ],
    { note },
  );
}

/** Less than net.core.wmem_default's 212,992 bytes. */
const usualSendBuffer = 200_000;
const SO_SNDBUFFORCE = 32;

/** Makes room for a datagram that the kernel would refuse with EMSGSIZE: thousands of ports after a daemon's start. */
function enlarge(p: Program, socket: Slot | number, size: number): void {
  const room = Buffer.alloc(4);
  room.writeUInt32LE(2 * size);
  const option = named(SO_SNDBUFFORCE, "SO_SNDBUFFORCE");
  p.call("setsockopt", [socket, named(f.SOL_SOCKET, "SOL_SOCKET"), option, p.bytes(room), room.length], {
    note: `make room for ${size} bytes`,
  });
}

/**
 * Sends one datagram of messages and fails with the first error among the kernel's answers. The last message must ask
 * for its acknowledgement (NLM_F_ACK). All messages of a route request are tried even when one fails; an nf_tables batch is
 * carried out whole or not at all. Bytes that are a `Ref` may have been completed by earlier steps (`copy32`).
 */
export function ask(
  p: Program,
  socket: Slot | number,
  messages: Uint8Array | Ref,
  options: Pick<StepOptions, "note" | "tolerate">,
): void {
  const bytes =
    messages instanceof Uint8Array ? p.bytes(messages, `{ ${messages.length} bytes of netlink }`) : messages;
  const size = messages instanceof Uint8Array ? messages.length : messages.size;
  if (size > usualSendBuffer) enlarge(p, socket, size);
  p.call("sendto", [socket, bytes, size, 0, 0, 0], { note: options.note });
  p.answer(socket, { ...options, note: `${options.note}: the kernel's answer` });
}
