import { type Attribute, be16, be32 } from "../attribute.ts";
import type { Request } from "../message.ts";
import { NFNL_SUBSYS_CTNETLINK, nfRequest } from "../nfnetlink.ts";
import * as c from "./constants.ts";
import type { Flow } from "./flow.ts";

const NLA_F_NESTED = 0x8000;

/** Deletes one connection, if it is still the same. ENOENT when it has ended meanwhile. */
export function deleteFlow(flow: Pick<Flow, "tuple" | "id" | "zone" | "family">): Request {
  const attributes: Attribute[] = [
    { type: c.CTA_TUPLE_ORIG | NLA_F_NESTED, value: flow.tuple },
    be32(c.CTA_ID, flow.id),
  ];
  if (flow.zone !== undefined) attributes.push(be16(c.CTA_ZONE, flow.zone));
  return nfRequest(NFNL_SUBSYS_CTNETLINK, c.IPCTNL_MSG_CT_DELETE, flow.family, 0, attributes);
}
