import { messageOf, SampanError } from "../../errors/index.ts";
import { shortId } from "../identity/ids.ts";
import type { ContainerRecord } from "../records/record.ts";
import { isUserDefined } from "./modes.ts";

/** What a container is found by on a network: nothing but an address on the default bridge, as with dockerd. */
export function dnsNames(
  { id, name, config }: Pick<ContainerRecord, "id" | "name" | "config">,
  network: string,
  aliases: readonly string[],
): string[] {
  if (!isUserDefined(network)) return [];
  const names = [name, ...aliases, shortId(id), config.Hostname];
  return [...new Set(names.filter((known) => known !== ""))];
}

/** "container:alias" or "container", whose alias is its name. */
export function parseLink(text: string): { readonly container: string; readonly alias: string } {
  const [container = "", alias = container] = text.split(":");
  return { container: container.replace(/^\//, ""), alias: alias.slice(alias.lastIndexOf("/") + 1) };
}

/** Throws "invalid" with dockerd's text for a link of the default bridge to a container that is not there. */
export function checkLink(link: string, find: (reference: string) => unknown): void {
  const { container } = parseLink(link);
  try {
    find(container);
  } catch (cause) {
    throw new SampanError("invalid", `could not get container for ${container}: ${messageOf(cause)}`, { cause });
  }
}
