import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import { isUserDefined } from "./modes.ts";
import { dnsNames } from "./names.ts";
import type { ContainerNetworkView, EndpointView } from "./types.ts";

/** What a container has of networks, as seen now. */
export function networkViewOf({ networking }: EngineParts, container: Container): ContainerNetworkView {
  const { record, sandbox, running, state } = container;
  const endpoints: Record<string, EndpointView> = {};
  for (const [name, settings] of Object.entries(record.endpoints)) {
    const network = networking.find(name);
    const endpoint = sandbox?.endpoints.find(({ networkId }) => networkId === network?.id);
    const begun = state.starts > 0 || settings.NetworkID !== "";
    endpoints[name] = {
      settings: { ...settings, NetworkID: begun ? (network?.id ?? settings.NetworkID) : "" },
      dnsNames: begun && isUserDefined(name) ? dnsNames(record, name, settings.Aliases ?? []) : [],
      ...(endpoint && { endpoint }),
    };
  }
  return {
    endpoints,
    ports: sandbox?.ports ?? [],
    sandboxId: sandbox === undefined ? "" : sandboxId(container.id),
    sandboxKey: running === undefined ? "" : `/proc/${running.pid}/ns/net`,
  };
}

/** A network namespace lives as long as its container runs and has no name of its own: the container's id, turned round. */
function sandboxId(containerId: string): string {
  return [...containerId].reverse().join("");
}
