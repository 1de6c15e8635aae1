import type { CreateRequest, EndpointSettingsRequest } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";

const v1_44 = versionNumber("1.44");

/**
 * A container once had one MAC address; since API 1.44 each of its endpoints has one. Moves it to the endpoint that is
 * meant, by dockerd's rules and with its texts.
 */
export function moveMacAddress(request: CreateRequest, version: ApiVersion): CreateRequest {
  const address = request.config.MacAddress || "";
  if (address === "") return version < v1_44 ? withoutMacAddresses(request) : request;
  const config = { ...request.config, MacAddress: "" };
  const mode = request.hostConfig?.NetworkMode || "default";
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) {
    if (version < v1_44) throw new SampanError("invalid", "conflicting options: mac-address and the network mode");
    return { ...request, config, warnings: [deprecated] };
  }
  const endpoints = request.endpoints ?? {};
  const name = meantEndpoint(Object.keys(endpoints), mode, version);
  const given = endpoints[name];
  if (version >= v1_44 && given?.MacAddress && given.MacAddress !== address) throw mismatch();
  const settings: EndpointSettingsRequest = { ...given, MacAddress: address };
  return {
    ...request,
    config,
    endpoints: { ...endpoints, [name]: settings },
    ...(version >= v1_44 && { warnings: [deprecated] }),
  };
}

function meantEndpoint(names: readonly string[], mode: string, version: ApiVersion): string {
  const [first] = names;
  if (first === undefined || names.includes(mode)) return mode;
  if (version < v1_44) return first;
  const what = "HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks";
  throw new SampanError("invalid", `if a container-wide setting is supplied, ${what}`);
}

/** Those of endpoints meant nothing then. */
function withoutMacAddresses(request: CreateRequest): CreateRequest {
  if (!request.endpoints) return request;
  const endpoints = Object.entries(request.endpoints).map(([name, settings]) => [
    name,
    settings && { ...settings, MacAddress: "" },
  ]);
  return { ...request, endpoints: Object.fromEntries(endpoints) };
}

function mismatch(): SampanError {
  const what = "must match the endpoint-specific MAC address for the main network, or be left empty";
  return new SampanError("invalid", `the container-wide MAC address ${what}`);
}

const deprecated =
  "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";
