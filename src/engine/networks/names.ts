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

export interface Link {
  /** Its name or id. */
  readonly container: string;
  readonly alias: string;
}

/** "container:alias" or "container", whose alias is its name. */
export function parseLink(text: string): Link {
  const [container = "", alias = container] = text.split(":");
  return { container: container.replace(/^\//, ""), alias: alias.slice(alias.lastIndexOf("/") + 1) };
}

/** The container that is linked to; "invalid" with dockerd's text when it is not there. */
export function checkLink<C>(link: string, find: (reference: string) => C): C {
  const { container } = parseLink(link);
  try {
    return find(container);
  } catch (cause) {
    throw new SampanError("invalid", `could not get container for ${container}: ${messageOf(cause)}`, { cause });
  }
}
