import { checkEndpoint } from "../../network/endpoints/settings.ts";
import type { EndpointRequest, NetworkRecord } from "../../network/types.ts";
import type { EndpointSettings, EndpointSettingsRequest } from "../config.ts";

/** Fills in what a request leaves out. */
export function normaliseSettings(request: EndpointSettingsRequest | null | undefined): EndpointSettings {
  return {
    IPAMConfig: request?.IPAMConfig ?? null,
    Links: request?.Links ?? null,
    Aliases: request?.Aliases ?? null,
    MacAddress: request?.MacAddress ?? "",
    DriverOpts: request?.DriverOpts ?? null,
    GwPriority: request?.GwPriority ?? 0,
    NetworkID: request?.NetworkID ?? "",
  };
}

/**
 * What a network is asked, checked and in its own words. Throws "invalid" with dockerd's texts. `network` is undefined when
 * there is none of that name yet: then only the form is checked.
 */
export function endpointRequest(
  name: string,
  settings: EndpointSettings,
  network: NetworkRecord | undefined,
): EndpointRequest {
  const { IPAMConfig, Aliases, MacAddress, DriverOpts, GwPriority } = settings;
  return checkEndpoint(network?.name ?? name, network, {
    ...(IPAMConfig?.IPv4Address && { ipv4: IPAMConfig.IPv4Address }),
    ...(IPAMConfig?.IPv6Address && { ipv6: IPAMConfig.IPv6Address }),
    linkLocal: IPAMConfig?.LinkLocalIPs ?? [],
    ...(MacAddress !== "" && { macAddress: MacAddress }),
    aliases: Aliases ?? [],
    gatewayPriority: GwPriority,
    driverOptions: DriverOpts ?? {},
  });
}
