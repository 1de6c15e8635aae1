import type { StoredImage } from "../../images/types.ts";
import type { EngineParts } from "../parts.ts";

interface Told {
  readonly id: string;
  /** What the user calls it; the id where there is no name. */
  readonly name: string;
  /** Its labels become attributes. */
  readonly image?: StoredImage | undefined;
}

/** Tells what has happened to an image. */
export function imageEvent(events: EngineParts["events"], action: string, { id, name, image }: Told): void {
  events.emit("image", action, id, { ...image?.config.config?.Labels, name });
}
