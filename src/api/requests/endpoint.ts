import * as z from "zod";
import { struct } from "./validate.ts";

const strings = z.array(z.string());

const ipam = struct({ IPv4Address: z.string(), IPv6Address: z.string(), LinkLocalIPs: strings }).transform((given) => ({
  ...(given.IPv4Address && { IPv4Address: given.IPv4Address }),
  ...(given.IPv6Address && { IPv6Address: given.IPv6Address }),
  ...(given.LinkLocalIPs && { LinkLocalIPs: given.LinkLocalIPs }),
}));

/** Docker's EndpointSettings, what is asked for: the rest is what the daemon answers, and clients send it back at times. */
export const endpointSettings = struct({
  IPAMConfig: ipam,
  Links: strings,
  Aliases: strings,
  MacAddress: z.string(),
  DriverOpts: z.record(z.string(), z.string()),
  GwPriority: z.number().int(),
  NetworkID: z.string(),
});

/** NetworkingConfig.EndpointsConfig. */
export const endpointsConfig = z.record(z.string(), endpointSettings.nullable());
