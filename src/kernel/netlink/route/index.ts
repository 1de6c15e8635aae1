/**
 * rtnetlink(7): links, addresses, routes and neighbours as messages. Each function makes plain data; `batch` makes the
 * bytes of several, to be sent on a NETLINK_ROUTE socket by `ask` of ../request.ts. They take effect in the network
 * namespace where that socket was made, and need CAP_NET_ADMIN there.
 */
export { Hole } from "../attribute.ts";
export { batch, batchWithHoles, type Encoded } from "../batch.ts";
export { addAddress, deleteAddress, type NewAddress } from "./addresses.ts";
export * from "./create.ts";
export { type Address, decodeAddresses, dumpAddresses } from "./dump-addresses.ts";
export { decodeLinks, dumpLinks, getLink, type Link } from "./dump-links.ts";
export { decodeRoutes, dumpRoutes, type InstalledRoute } from "./dump-routes.ts";
export type { LinkRef } from "./link-message.ts";
export { addNeighbour, deleteNeighbour, type Neighbour } from "./neighbours.ts";
export { addRoute, deleteRoute, type Route } from "./routes.ts";
export * from "./set.ts";
