import { SampanError } from "../../../errors/index.ts";
import { type Attribute, text } from "../attribute.ts";
import type { Request } from "../message.ts";
import { IFF_UP, IFLA_IFNAME } from "./constants.ts";

/** A link by its index, or by its name (at most 15 bytes). */
export type LinkRef = number | string;

/** struct ifinfomsg: `up` sets or clears IFF_UP, undefined leaves it. */
export function linkBody(index: number, up?: boolean, family = 0): Uint8Array {
  const body = Buffer.alloc(16);
  body[0] = family;
  body.writeInt32LE(index, 4);
  if (up !== undefined) {
    body.writeUInt32LE(up ? IFF_UP : 0, 8);
    body.writeUInt32LE(IFF_UP, 12);
  }
  return body;
}

/** A message about an existing link. */
export function aboutLink(
  type: number,
  link: LinkRef,
  attributes: readonly Attribute[],
  options: { flags?: number; up?: boolean | undefined } = {},
): Request {
  const named = typeof link === "string";
  if (named && attributes.some((attribute) => attribute.type === IFLA_IFNAME))
    throw new SampanError("internal", `Cannot rename the link ${link} that is known by its name: its index is needed`);
  return {
    type,
    flags: options.flags ?? 0,
    body: linkBody(named ? 0 : link, options.up),
    attributes: named ? [text(IFLA_IFNAME, link), ...attributes] : attributes,
  };
}
