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
  p.call("sendto", [socket, bytes, size, 0, 0, 0], { note: options.note });
  p.answer(socket, { ...options, note: `${options.note}: the kernel's answer` });
}
