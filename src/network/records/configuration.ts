import { SampanError } from "../../errors/index.ts";
import { parseSubnets } from "../ipam/validate.ts";
import type { NetworkRecord } from "../types.ts";
import { checkName } from "./request.ts";
import type { NetworkRequest } from "./types.ts";

/**
 * Checks the request for a configuration network (`--config-only`) as dockerd does, in its words: it holds options for others
 * and is none itself. Whether they are right is asked when a network is made of them, for it depends on that one's driver.
 */
export function checkConfiguration(request: NetworkRequest): Pick<NetworkRecord, "configuration" | "ipv4" | "ipv6"> {
  checkName(request.name);
  if (request.ingress || request.internal || request.attachable || request.scope) {
    const operators = "Network operator fields like [ ingress | internal | attachable | scope ] are not supported.";
    throw new SampanError("denied", `configuration network can only contain network specific fields. ${operators}`);
  }
  if (request.configFrom) {
    throw new SampanError("denied", "a configuration network cannot depend on another configuration network");
  }
  if (request.egress) {
    const remedy = "give it to the network that is made of this one";
    throw new SampanError("invalid", `Cannot create the network ${request.name} with an egress policy: ${remedy}`);
  }
  const { ipam = { config: [] }, ipv4 = true, ipv6 = false } = request;
  parseSubnets(ipam.config, { ipv4: true, ipv6: true });
  return { configuration: ipam, ipv4, ipv6 };
}

/** What a request with `--config-from` comes to. Throws "denied" with dockerd's texts when it says things for itself. */
export function configured(request: NetworkRequest, source: NetworkRecord | undefined): NetworkRequest {
  const { configFrom, ...rest } = request;
  const { ipam, options = {}, labels = {} } = request;
  const dependent = "are not supported if the network depends on a configuration network";
  if (Object.keys(options).length > 0) throw new SampanError("denied", `network driver options ${dependent}`);
  const ownAddresses =
    (ipam !== undefined && (ipam.config.length > 0 || Object.keys(ipam.options ?? {}).length > 0)) ||
    (ipam?.driver !== undefined && ipam.driver !== "default");
  if (ownAddresses || request.ipv4 === false || request.ipv6 || Object.keys(labels).length > 0) {
    throw new SampanError("denied", `user specified configurations ${dependent}`);
  }
  if (source?.configuration === undefined) {
    throw new SampanError("not-found", `configuration network ${JSON.stringify(configFrom)} does not exist`);
  }
  const { configuration, ipv4, ipv6 } = source;
  return { ...rest, ipam: configuration, ipv4, ipv6, options: source.options, labels: source.labels };
}

/** Throws "denied" for a network that is only there for others to be made of. */
export function refuseConfiguration({ configuration }: Pick<NetworkRecord, "configuration">): void {
  if (configuration !== undefined) {
    throw new SampanError("denied", "cannot create endpoint on configuration-only network");
  }
}
