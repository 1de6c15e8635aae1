import type { Container } from "../container/live.ts";
import { readdressHosts } from "../files/hosts.ts";
import type { EngineParts } from "../parts.ts";
import { rewriteHosts } from "./files.ts";
import { entriesFor } from "./links.ts";

/** Tells those who are linked to a container and run already which addresses it has on the default network now. */
export async function tellLinking(parts: EngineParts, container: Container): Promise<void> {
  for (const other of parts.registry.all()) {
    if (!other.isRunning || other.record.hostConfig.Links === null) continue;
    const links = entriesFor(parts, other.record, container);
    if (links.length > 0) await rewriteHosts(parts, other, (text) => links.reduce(readdressHosts, text));
  }
}
