import { type Attribute, be32, nested, text } from "../attribute.ts";
import { NLM_F_CREATE, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { nftRequest, type Table } from "./request.ts";

export const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
export type Hook = keyof typeof hooks;

/** nft(8)'s names for places in a hook's order; of the families ip, ip6 and inet. */
export const priorities = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const;

export const policies = { drop: 0, accept: 1 } as const;
export type Policy = keyof typeof policies;

export interface BaseChain {
  readonly type: "filter" | "nat" | "route";
  readonly hook: Hook;
  readonly priority: number;
  /** accept by default. */
  readonly policy?: Policy | undefined;
}

/** Makes a chain, or sets the policy of one that is there. With `base` packets come by themselves. */
export function addChain(table: Table, name: string, base?: BaseChain): Request {
  const attributes: Attribute[] = [text(c.NFTA_CHAIN_TABLE, table.name), text(c.NFTA_CHAIN_NAME, name)];
  if (base) {
    const place = [be32(c.NFTA_HOOK_HOOKNUM, hooks[base.hook]), be32(c.NFTA_HOOK_PRIORITY, base.priority)];
    attributes.push(
      nested(c.NFTA_CHAIN_HOOK, place),
      be32(c.NFTA_CHAIN_POLICY, policies[base.policy ?? "accept"]),
      text(c.NFTA_CHAIN_TYPE, base.type),
    );
  }
  return nftRequest(c.NFT_MSG_NEWCHAIN, table.family, NLM_F_CREATE, attributes);
}

/** Deletes an empty chain that no rule jumps to. */
export function deleteChain(table: Table, name: string): Request {
  const attributes = [text(c.NFTA_CHAIN_TABLE, table.name), text(c.NFTA_CHAIN_NAME, name)];
  return nftRequest(c.NFT_MSG_DELCHAIN, table.family, 0, attributes);
}
