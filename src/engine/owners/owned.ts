import type { EngineParts } from "../parts.ts";
import type { Containers } from "../types.ts";
import { type OwnedContainers, ownerAnnotation } from "./owners.ts";

/** The containers of an engine, seen by their owners. */
export function ownedContainers({ registry }: EngineParts, containers: Containers): OwnedContainers {
  return {
    *owners() {
      for (const { id, record } of registry.all()) {
        const owner = record.hostConfig.Annotations?.[ownerAnnotation];
        if (owner !== undefined) yield { id, owner };
      }
    },
    remove: (id) => containers.remove(id, { force: true, volumes: true }),
  };
}
