import type { Networking } from "../../network/networking.ts";
import type { EndpointSettings } from "../config.ts";

type Endpoints = Readonly<Record<string, EndpointSettings>>;

/**
 * Keeps the addresses that a container has asked for by themselves, from its making (or the daemon's start) to its removal:
 * nobody else is given them while it does not run.
 */
export function holdAddresses(networking: Networking, endpoints: Endpoints): void {
  each(networking, endpoints, (network, request) => networking.hold(network, request));
}

/** The opposite, for a container that is removed or has left a network. */
export function unholdAddresses(networking: Networking, endpoints: Endpoints): void {
  each(networking, endpoints, (network, request) => networking.unhold(network, request));
}

function each(networking: Networking, endpoints: Endpoints, act: Networking["hold"]): void {
  for (const [name, { IPAMConfig }] of Object.entries(endpoints)) {
    if (!IPAMConfig?.IPv4Address && !IPAMConfig?.IPv6Address) continue;
    const network = networking.find(name);
    if (network === undefined) continue;
    act(network, {
      ...(IPAMConfig.IPv4Address && { ipv4: IPAMConfig.IPv4Address }),
      ...(IPAMConfig.IPv6Address && { ipv6: IPAMConfig.IPv6Address }),
    });
  }
}
