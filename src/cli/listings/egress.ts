import type { EgressEntry } from "../../api/shapes/egress.ts";
import type { Listing } from "../format/listing.ts";

/** The columns of `egress log`. */
export const egressListing: Listing<EgressEntry> = {
  id: "Destination",
  columns: ["Time", "Protocol", "Destination", "Port", "Name", "Network"],
  fields: {
    Time: ["TIME", ({ Time }) => Time],
    Protocol: ["PROTOCOL", ({ Protocol }) => Protocol],
    Destination: ["DESTINATION", ({ Destination }) => Destination],
    Port: ["PORT", ({ Port }) => (Port === 0 ? "" : Port)],
    Name: ["NAME", ({ Name }) => Name],
    Network: ["NETWORK", ({ Network }) => Network],
    Source: ["SOURCE", ({ Source }) => Source],
  },
};
