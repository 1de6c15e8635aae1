import type { NetworkResource } from "../../api/shapes/network.ts";
import type { Listing } from "../format/listing.ts";
import { shortId } from "../format/units.ts";
import { labelField, pairs } from "./labels.ts";

/** The columns of `network ls`, as docker names and fills them. */
export function networkListing({ truncate }: { readonly truncate: boolean }): Listing<NetworkResource> {
  return {
    id: "ID",
    columns: ["ID", "Name", "Driver", "Scope"],
    fields: {
      ID: ["NETWORK ID", ({ Id }) => (truncate ? shortId(Id) : Id)],
      Name: ["NAME", ({ Name }) => Name],
      Driver: ["DRIVER", ({ Driver }) => Driver],
      Scope: ["SCOPE", ({ Scope }) => Scope],
      IPv4: ["IPV4", ({ EnableIPv4 }) => String(EnableIPv4)],
      IPv6: ["IPV6", ({ EnableIPv6 }) => String(EnableIPv6)],
      Internal: ["INTERNAL", ({ Internal }) => String(Internal)],
      Labels: ["LABELS", ({ Labels }) => pairs(Labels)],
      Label: labelField(({ Labels }) => Labels),
      CreatedAt: ["CREATED AT", ({ Created }) => goMoment(Created)],
    },
  };
}

/** A moment in Go's words: `2024-05-06 07:08:09.123456789 +0000 UTC`. */
function goMoment(text: string): string {
  const [, day = "", time = "", zone = ""] = /^([\d-]+)T([\d:.]+)(Z|[-+]\d\d:\d\d)$/.exec(text) ?? [];
  if (day === "") return text;
  const offset = zone.replace(":", "");
  return `${day} ${time} ${zone === "Z" ? "+0000 UTC" : `${offset} ${offset}`}`;
}
