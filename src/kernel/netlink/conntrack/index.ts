/**
 * The kernel's table of connections, by ctnetlink: entries are found by address and port and deleted, so that a stopped
 * container's port does not go on leading to where it was. Questions are asked by `query` of ../query.ts; `deleteFlow`s are
 * sent by `ask` of ../request.ts on the same NETLINK_NETFILTER socket. Needs CAP_NET_ADMIN.
 */
export { batch } from "../batch.ts";
export { deleteFlow } from "./delete.ts";
export { decodeFlows, dumpFlows } from "./dump.ts";
export { type Endpoints, type Flow, type FlowFilter, matches } from "./flow.ts";
