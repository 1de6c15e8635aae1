import { endpointOption } from "../../network/endpoints/settings.ts";
import type { EndpointSettings, HostConfig } from "../config.ts";

/** "net.ipv4.conf.eth0.forwarding": of one interface, which is not there until the container is joined to a network. */
const ofInterface = /^(net\.[^.]+\.[^.]+)\.eth0\.(.+)$/;

interface Moved {
  readonly host: HostConfig;
  readonly endpoints: Record<string, EndpointSettings>;
}

/**
 * Moves settings of the container's first interface to the endpoint that makes it, where Docker wants them since API 1.46:
 * options of older clients go on working.
 */
export function moveInterfaceSysctls(host: HostConfig, endpoints: Record<string, EndpointSettings>): Moved {
  const all = Object.entries(host.Sysctls ?? {});
  const moved = all.filter(([name]) => ofInterface.test(name));
  const [first] = Object.keys(endpoints);
  const name = host.NetworkMode in endpoints ? host.NetworkMode : first;
  const endpoint = name === undefined ? undefined : endpoints[name];
  if (moved.length === 0 || name === undefined || endpoint === undefined) return { host, endpoints };
  const own = endpoint.DriverOpts?.[endpointOption.sysctls];
  const settings = moved.map(([key, value]) => `${key.replace(ofInterface, "$1.IFNAME.$2")}=${value}`);
  const DriverOpts = {
    ...endpoint.DriverOpts,
    [endpointOption.sysctls]: [...(own ? [own] : []), ...settings].join(","),
  };
  return {
    host: { ...host, Sysctls: Object.fromEntries(all.filter(([key]) => !ofInterface.test(key))) },
    endpoints: { ...endpoints, [name]: { ...endpoint, DriverOpts } },
  };
}
