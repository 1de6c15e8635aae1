import { messageOf } from "../../errors/index.ts";
import type { NetworkRecord } from "../../network/types.ts";
import type { Container } from "../container/live.ts";
import { readdressHosts } from "../files/hosts.ts";
import type { EngineParts } from "../parts.ts";
import { rewriteHosts } from "./files.ts";
import { defaultNetwork, entriesFor, isLinkedTo, openingsOf } from "./links.ts";

/**
 * A container has started, or has joined a network: those who are linked to it and run already hear its addresses on the
 * default network and may reach it there, and it those whom it is linked to.
 */
export async function tellLinking(parts: EngineParts, container: Container): Promise<void> {
  if (container.record.hostConfig.Links !== null) await reopen(parts, container);
  for (const other of linkingTo(parts, container)) {
    const links = entriesFor(parts, other.record, container);
    if (links.length === 0) continue;
    await reopen(parts, other);
    await rewriteHosts(parts, other, (text) => links.reduce(readdressHosts, text));
  }
}

/** It leaves: nobody is let to its addresses any more, which may be another's soon. Undefined where nobody is linked to it. */
export function closeLinking(parts: EngineParts, container: Container): Promise<unknown> | undefined {
  const linking = linkingTo(parts, container);
  return linking.length === 0 ? undefined : Promise.all(linking.map((other) => reopen(parts, other, container)));
}

/** It leaves a network while it runs: links are no more where that is the default one. */
export async function closeLinks(parts: EngineParts, container: Container, network: NetworkRecord): Promise<void> {
  if (network.name !== defaultNetwork) return;
  await closeLinking(parts, container);
  await container.sandbox?.reopen([]);
}

/** Lets a running container reach whom it is linked to, but for `gone`. Never fails: what is wrong is told in the log. */
async function reopen(parts: EngineParts, container: Container, gone?: Container): Promise<void> {
  try {
    await container.sandbox?.reopen(openingsOf(parts, container.record, gone));
  } catch (error) {
    parts.log.error({ container: container.id }, `its links are not those that it has asked for: ${messageOf(error)}`);
  }
}

function linkingTo(parts: EngineParts, container: Container): Container[] {
  const { registry } = parts;
  if (registry.linking().size === 0) return [];
  return [...registry.linking()].filter((other) => other.isRunning && isLinkedTo(parts, other.record, container));
}
