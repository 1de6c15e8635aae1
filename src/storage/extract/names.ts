import { SampanError } from "../../errors/index.ts";
import { readable } from "../tar/entry.ts";
import { partsBelow } from "../tar/names.ts";

/**
 * The name of an entry, or of what a hard link leads to, below the directory that is unpacked into: "" is that directory
 * itself. One that leads out of it is an error, in dockerd's words.
 */
export function entryName(written: string, what: "entry name" | "hardlink target" = "entry name"): string {
  const parts = partsBelow(written);
  if (parts === undefined) throw new SampanError("invalid", `invalid ${what} ${readable(written)}`);
  return parts.join("/");
}
