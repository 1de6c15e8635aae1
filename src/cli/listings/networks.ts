import type { NetworkResource } from "../../api/shapes/network.ts";
import type { Listing } from "../format/listing.ts";
import { goMoment, shortId } from "../format/units.ts";
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
