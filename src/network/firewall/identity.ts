import type { ElementState, KeyPart } from "../../kernel/netlink/nftables/index.ts";
import { type DataType, types, type Value } from "../../kernel/netlink/nftables/index.ts";
import type { RuleElement } from "./elements.ts";
import { type SetName, sets } from "./sets.ts";

/** The same for elements with the same key, however their addresses are written. */
export function keyIdentity({ set, key }: Pick<RuleElement, "set" | "key">): string {
  return `${set} ${key.map((part, index) => partIdentity(part, sets[set].key[index])).join(" ")}`;
}

/** What a map leads to; "" in a set. */
export function valueIdentity({ set, value }: Pick<RuleElement, "set" | "value">): string {
  const map = sets[set];
  return value === undefined || !("value" in map)
    ? ""
    : value.map((part, index) => hex(part, map.value[index])).join(" ");
}

/** What the kernel has as one of ours; undefined for the mark that an interval ends. */
export function elementOf(set: SetName, state: ElementState): RuleElement | undefined {
  if (state.intervalEnd) return undefined;
  const { keyEnd } = state;
  const key = state.key.map((from, index): KeyPart => {
    const to = keyEnd?.[index];
    return to === undefined || to === from ? from : { from, to };
  });
  return Array.isArray(state.value) ? { set, key, value: state.value as Value[] } : { set, key };
}

function partIdentity(part: KeyPart, type: DataType | undefined): string {
  const range = typeof part === "object" && !(part instanceof Uint8Array);
  if (!range) return hex(part, type);
  const [from, to] = [hex(part.from, type), hex(part.to, type)];
  return from === to ? from : `${from}-${to}`;
}

function hex(value: Value, type: DataType = types.ifname): string {
  return Buffer.from(type.encode(value)).toString("hex");
}
