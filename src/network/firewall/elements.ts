import type { KeyPart } from "../../kernel/netlink/nftables/elements.ts";
import type { Value } from "../../kernel/netlink/nftables/types.ts";
import type { BridgeSettings, FamilySettings } from "../drivers/bridge-settings.ts";
import type { SetName } from "./sets.ts";

/** One element of one of our sets. */
export interface RuleElement {
  readonly set: SetName;
  readonly key: readonly KeyPart[];
  /** Of a map. */
  readonly value?: readonly Value[];
}

/** All that a bridge network is in the rules. */
export function networkElements(bridge: BridgeSettings): RuleElement[] {
  const { name } = bridge;
  const elements: RuleElement[] = [
    { set: "bridges", key: [name] },
    { set: "same", key: [name, name] },
    ...bridge.trusted.map((link): RuleElement => ({ set: "trusted", key: [link, name] })),
  ];
  if (!bridge.icc) elements.push({ set: "secluded", key: [name] });
  if (bridge.internal) elements.push({ set: "internal", key: [name] });
  if (bridge.ipv4) elements.push(...familyElements(name, 4, bridge.ipv4));
  if (bridge.ipv6) elements.push(...familyElements(name, 6, bridge.ipv6));
  return elements;
}

function familyElements(name: string, family: 4 | 6, settings: FamilySettings): RuleElement[] {
  const { mode, masquerade, hostAddress } = settings;
  const elements: RuleElement[] = [];
  if (masquerade && hostAddress === undefined) elements.push({ set: `masquerade${family}`, key: [name] });
  if (masquerade && hostAddress !== undefined)
    elements.push({ set: `source${family}`, key: [name], value: [hostAddress] });
  if (mode === "routed") elements.push({ set: `routed${family}`, key: [name] });
  if (mode === "nat-unprotected") elements.push({ set: `unprotected${family}`, key: [name] });
  return elements;
}
