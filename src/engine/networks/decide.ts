import { messageOf, SampanError } from "../../errors/index.ts";
import type { Networking } from "../../network/networking.ts";
import type { EndpointSettings, EndpointSettingsRequest, HostConfig } from "../config.ts";
import { sharedContainer } from "../container/modes.ts";
import { endpointRequest, normaliseSettings } from "./settings.ts";

type Asked = Readonly<Record<string, EndpointSettingsRequest | null>> | null | undefined;

/**
 * The networks that a container is to be joined to, by name. As with dockerd a network need not be there before the
 * container starts; one that is there is asked whether it can do what is wanted. Throws "invalid" with dockerd's texts.
 */
export function decideEndpoints(
  networking: Networking,
  { NetworkMode: mode }: Pick<HostConfig, "NetworkMode">,
  asked: Asked,
): Record<string, EndpointSettings> {
  if (sharedContainer(mode) !== undefined) return {};
  const nameOf = (reference: string) => {
    const meant = reference === "" || reference === "default" ? mode : reference;
    return networking.find(meant)?.name ?? meant;
  };
  const given = Object.entries(asked ?? {});
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [reference, settings] of given.length > 0 ? given : [[mode, null] as const]) {
    const name = nameOf(reference);
    endpoints[name] = { ...normaliseSettings(settings), NetworkID: "" };
    check(networking, name, endpoints[name]);
  }
  checkTogether(mode, Object.keys(endpoints));
  return endpoints;
}

function check(networking: Networking, name: string, settings: EndpointSettings): void {
  try {
    endpointRequest(name, settings, networking.find(name));
  } catch (cause) {
    throw new SampanError("invalid", `invalid config for network ${name}: ${messageOf(cause)}`, { cause });
  }
}

/** The machine's network, and none, go with no other. */
function checkTogether(mode: string, names: readonly string[]): void {
  for (const alone of ["host", "none"]) {
    const there = mode === alone || names.includes(alone);
    if (there && names.some((name) => name !== alone)) throw new SampanError("invalid", conflicts[alone] ?? "");
  }
}

/** dockerd's words for what does not go together. */
const conflicts: Readonly<Record<string, string>> = {
  host: "container sharing network namespace with another container or host cannot be connected to any other network",
  none: "container cannot be connected to multiple networks with one of the networks in private (none) mode",
};
