import {
  accept,
  anyOf,
  type BaseChain,
  ct,
  differs,
  dnatTo,
  drop,
  duplicate,
  equals,
  fib,
  inPrefix,
  inSet,
  jump,
  leave,
  mapped,
  masquerade,
  meta,
  notInSet,
  payload,
  priorities,
  type Statement,
  setPriority,
  snatTo,
} from "../../kernel/netlink/nftables/index.ts";
import { sets } from "./sets.ts";

/** The rules of one chain; a base chain sees packets by itself. */
export interface Chain {
  readonly name: string;
  readonly base?: BaseChain;
  readonly rules: readonly (readonly Statement[])[];
}

/** How published ports treat what comes from outside, see `HostOptions.publishPolicy`. */
export type Policy =
  | { readonly kind: "direct" }
  /** The link, by index and name of its two ends, by which connections come in again once the input chains let them. */
  | { readonly kind: "input"; readonly out: number; readonly in: string };

const iif = meta("iifname");
const oif = meta("oifname");
const protocol = meta("l4proto");
const port = payload.th.dport;
const local = equals(fib.daddr.type, "local");
const translated = anyOf(ct.status, ["dnat"]);
const withinOne = inSet([iif, oif], sets.same);
const toUs = inSet(oif, sets.bridges);

/** Tells a packet that waits for the input chains' word; "Samp". Nobody looks at priorities of what comes in. */
const asked = 0x53_61_6d_70;

const at4 = [payload.ipv4.daddr, protocol, port];
const at6 = [payload.ipv6.daddr, protocol, port];
const any = [protocol, port];

/** Which maps lead to containers, and by what: an address of the machine's own wins over all of them. */
const published = [
  { key: at4, map: sets.publish4 },
  { key: at4, map: sets.range4 },
  { key: any, map: sets.everywhere4, family: equals(meta("nfproto"), "ipv4") },
  { key: any, map: sets.rangeEverywhere4, family: equals(meta("nfproto"), "ipv4") },
  { key: at6, map: sets.publish6 },
  { key: at6, map: sets.range6 },
  { key: any, map: sets.everywhere6, family: equals(meta("nfproto"), "ipv6") },
  { key: any, map: sets.rangeEverywhere6, family: equals(meta("nfproto"), "ipv6") },
];

const publish: Chain = { name: "publish", rules: published.map(({ key, map }) => [dnatTo(key, map)]) };

/** Finds what `publish` would lead to a container, but only marks it. */
const ask: Chain = {
  name: "ask",
  rules: published.map(({ key, map, family }) => [
    ...(family ? [family] : []),
    mapped(key, map),
    setPriority(asked),
    accept,
  ]),
};

/** LOOPBACK_IFINDEX of the kernel: "lo" is the first link of every network namespace. */
const loopback = 1;

/**
 * Containers know the machine's own loopback addresses nobody: that we let the kernel route 127.0.0.0/8 to bridges is for
 * the answers to the machine itself, which have another address until conntrack has translated them.
 */
const raw: Chain = {
  name: "raw",
  base: { type: "filter", hook: "prerouting", priority: priorities.raw },
  // Every packet comes by here: the look into a set is last, and for hardly any
  rules: [
    [differs(meta("iif"), loopback), inPrefix(payload.ipv4.daddr, "127.0.0.0/8"), inSet(iif, sets.bridges), drop],
  ],
};

function prerouting(policy: Policy): Chain {
  const fromOutside = policy.kind === "input" ? [notInSet(iif, sets.bridges), differs(iif, policy.in)] : [];
  return {
    name: "prerouting",
    base: { type: "nat", hook: "prerouting", priority: priorities.dstnat },
    rules: [
      [inPrefix(payload.ipv4.daddr, "127.0.0.0/8"), leave], // ports published there are the machine's alone
      ...(policy.kind === "input" ? [[...fromOutside, local, jump("ask")]] : []),
      [local, jump("publish")],
    ],
  };
}

const output: Chain = {
  name: "output",
  base: { type: "nat", hook: "output", priority: priorities.dstnat },
  rules: [
    [inSet(payload.ipv6.daddr, sets.unreachable6), leave],
    [local, jump("publish")],
  ],
};

/**
 * A container that reaches its own network by a published port has to be answered through the machine. Where br_netfilter
 * shows us frames that never leave the bridge they have no input link here (Linux passes none), unlike all that is routed.
 */
const postrouting: Chain = {
  name: "postrouting",
  base: { type: "nat", hook: "postrouting", priority: priorities.srcnat },
  rules: [
    [equals(meta("oif"), loopback), accept], // what the machine tells itself is nobody else's
    [translated, withinOne, masquerade()],
    [translated, equals(meta("iif"), 0), toUs, differs(fib.saddr.type, "local"), masquerade()],
    [toUs, inPrefix(payload.ipv4.saddr, "127.0.0.0/8"), masquerade()],
    [toUs, equals(payload.ipv6.saddr, "::1"), masquerade()],
    [withinOne, accept],
    [snatTo(iif, sets.source4)],
    [snatTo(iif, sets.source6)],
    [equals(meta("nfproto"), "ipv4"), inSet(iif, sets.masquerade4), masquerade()],
    [equals(meta("nfproto"), "ipv6"), inSet(iif, sets.masquerade6), masquerade()],
  ],
};

const forward: Chain = {
  name: "forward",
  base: { type: "filter", hook: "forward", priority: priorities.filter },
  rules: [
    [notInSet(iif, sets.bridges), notInSet(oif, sets.bridges), jump("others")],
    [anyOf(ct.state, ["established", "related"]), accept],
    [withinOne, jump("within")],
    [inSet(iif, sets.internal), drop],
    [inSet(oif, sets.internal), drop],
    [translated, accept],
    [toUs, jump("into")],
  ],
};

/** Between containers of one network. */
const within: Chain = {
  name: "within",
  rules: [
    [translated, accept],
    [inSet([payload.ipv4.saddr, ...at4], sets.linked4), accept],
    [inSet(iif, sets.secluded), drop],
    [accept],
  ],
};

/** To a container, by its own address. */
const into: Chain = {
  name: "into",
  rules: [
    [inSet(at4, sets.open4), accept],
    [inSet(at6, sets.open6), accept],
    [inSet(oif, sets.routed4), equals(protocol, "icmp"), accept],
    [inSet(oif, sets.routed6), equals(protocol, "icmpv6"), accept],
    [equals(meta("nfproto"), "ipv4"), inSet(oif, sets.unprotected4), accept],
    [equals(meta("nfproto"), "ipv6"), inSet(oif, sets.unprotected6), accept],
    [inSet([iif, oif], sets.trusted), accept],
    [drop],
  ],
};

/** Nothing of ours: what we turned forwarding on for shall not make a router of the machine. */
const others: Chain = {
  name: "others",
  rules: [
    [equals(meta("nfproto"), "ipv4"), inSet([iif, oif], sets.unforwarded4), drop],
    [equals(meta("nfproto"), "ipv6"), inSet([iif, oif], sets.unforwarded6), drop],
    [accept],
  ],
};

/** The chains of the table, those that are jumped to first. */
export function chains(policy: Policy): Chain[] {
  const asking = policy.kind === "input" ? [ask] : [];
  return [publish, ...asking, within, into, others, raw, prerouting(policy), output, postrouting, forward];
}

/**
 * The chain that comes behind all input chains, in a table of one family (the kernel has `dup` only there): what they have
 * let pass comes in once more, by our own link, and is led to its container then. `next` is any address beyond the link.
 */
export function admission(policy: Extract<Policy, { kind: "input" }>, next: string): Chain {
  return {
    name: "admitted",
    base: { type: "filter", hook: "input", priority: 1000 },
    rules: [[equals(meta("priority"), asked), duplicate(next, policy.out), drop]],
  };
}
