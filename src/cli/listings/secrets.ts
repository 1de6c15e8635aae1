import type { Secret } from "../../api/shapes/secret.ts";
import type { Listing } from "../format/listing.ts";
import { ago } from "../format/units.ts";
import { labelField, pairs } from "./labels.ts";

/** The columns of `secret ls`, as docker names and fills them. */
export const secretListing: Listing<Secret> = {
  id: "ID",
  columns: ["ID", "Name", "Driver", "CreatedAt", "UpdatedAt"],
  fields: {
    ID: ["ID", ({ ID }) => ID],
    Name: ["NAME", ({ Spec }) => Spec.Name],
    Driver: ["DRIVER", () => ""],
    CreatedAt: ["CREATED", ({ CreatedAt }) => ago(Date.parse(CreatedAt) / 1000)],
    UpdatedAt: ["UPDATED", ({ UpdatedAt }) => ago(Date.parse(UpdatedAt) / 1000)],
    Labels: ["LABELS", ({ Spec }) => pairs(Spec.Labels)],
    Label: labelField(({ Spec }) => Spec.Labels),
  },
};
