/**
 * Netlink attributes as plain data: struct nlattr of netlink(7). The functions below name the formats that the kernel's
 * policies ask for; rtnetlink counts in the host's order, nf_tables and conntrack mostly in the network's.
 */

/** How a number is laid out: little-endian is the host's order on both of our architectures. */
export type NumberFormat = "u8" | "u16" | "u32" | "u64" | "be16" | "be32" | "be64";

/** Four bytes that are known only when the program runs, as a descriptor's number; zero until then. */
export class Hole {
  /** What belongs there, for those who read the program. */
  readonly label: string;
  constructor(label: string) {
    this.label = label;
  }
}

/** A structure with attributes behind it, as VETH_INFO_PEER has. */
export interface Framed {
  readonly body: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** What an attribute holds. Lists of attributes nest; a text gets its NUL; a number is 32 bits of the host unless `as` says else. */
export type AttributeValue = Uint8Array | string | number | bigint | Hole | Framed | readonly Attribute[];

export interface Attribute {
  readonly type: number;
  readonly value: AttributeValue;
  readonly as?: NumberFormat | undefined;
}

const nothing = new Uint8Array(0);

/** An attribute whose presence is its value. */
export function flag(type: number): Attribute {
  return { type, value: nothing, as: undefined };
}

export function u8(type: number, value: number): Attribute {
  return { type, value, as: "u8" };
}

export function u16(type: number, value: number): Attribute {
  return { type, value, as: "u16" };
}

/** An attribute of 32 bits. */
export function u32(type: number, value: number): Attribute {
  return { type, value, as: "u32" };
}

/** 16 bits in the network's order, as ports are. */
export function be16(type: number, value: number): Attribute {
  return { type, value, as: "be16" };
}

/** 32 bits in the network's order. */
export function be32(type: number, value: number): Attribute {
  return { type, value, as: "be32" };
}

/** 64 bits in the network's order. */
export function be64(type: number, value: number | bigint): Attribute {
  return { type, value: BigInt(value), as: "be64" };
}

export function bytes(type: number, value: Uint8Array): Attribute {
  return { type, value, as: undefined };
}

/** A text with its NUL. */
export function text(type: number, value: string): Attribute {
  return { type, value, as: undefined };
}

export function nested(type: number, value: readonly Attribute[]): Attribute {
  return { type, value, as: undefined };
}
