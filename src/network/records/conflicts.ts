import { SampanError } from "../../errors/index.ts";
import type { NetworkRecord } from "../types.ts";
import { option } from "./driver-options.ts";
import type { CheckedRequest } from "./request.ts";

/** Name of a bridge network's interface on the machine. */
export function bridgeNameOf({ id, options }: Pick<NetworkRecord, "id" | "options">): string {
  return options[option.bridgeName] || `br-${id.slice(0, 12)}`;
}

/** Throws when a new network wants an interface of the machine that another network has for itself. */
export function refuseConflicts(
  id: string,
  { driver, options }: CheckedRequest,
  networks: readonly NetworkRecord[],
  defaultBridge: string,
): void {
  const others = networks.filter((network) => network.driver === driver);
  if (driver === "bridge") refuseBridge(id, bridgeNameOf({ id, options }), others, defaultBridge);
  const parent = options[option.parent];
  if (!parent) return;
  for (const other of others.filter((network) => network.options[option.parent] === parent)) {
    if (driver === "ipvlan") {
      const text = `network di-${other.id.slice(0, 12)} is already using parent interface ${parent}`;
      throw new SampanError("conflict", text);
    }
    if (options[option.macvlanMode] === "passthru") {
      const text = `cannot use mode passthru, macvlan network ${other.id} is already using parent interface ${parent}`;
      throw new SampanError("conflict", text);
    }
    if (other.options[option.macvlanMode] === "passthru") {
      const text = `macvlan network ${other.id} is already using parent interface ${parent} in mode passthru`;
      throw new SampanError("conflict", text);
    }
  }
}

function refuseBridge(id: string, name: string, others: readonly NetworkRecord[], defaultBridge: string): void {
  const other = others.find((network) => bridgeNameOf(network) === name);
  if (other) {
    const both = `${id} (${name}): conflicts with network ${other.id} (${name})`;
    throw new SampanError("denied", `cannot create network ${both}: networks have same bridge name`);
  }
  if (name === defaultBridge) {
    throw new SampanError("denied", `cannot create network ${id} (${name}): that is the name of the default bridge`);
  }
}
