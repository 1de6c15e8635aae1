import { RegistryClient, type RegistryOptions } from "../registry/client.ts";
import { usualPatience } from "../registry/retry.ts";
import { Shared } from "./shared.ts";
import { Slots } from "./slots.ts";
import type { ImageTools } from "./tools.ts";

/** As dockerd: three connections to a registry at a time. Unpacking more at once than this only splits the disk's time. */
const parallel = 3;
/** As dockerd. */
const usualUploads = 5;

/** Completes what an image store has into what pulling needs. */
export function makeTools(
  own: Pick<ImageTools, "content" | "layers" | "records" | "garbage" | "settling" | "syncIndex">,
  options: RegistryOptions & { readonly uploads?: number | undefined },
): ImageTools {
  return {
    ...own,
    slots: new Slots(parallel),
    uploads: new Slots(options.uploads ?? usualUploads),
    unpacks: new Slots(parallel),
    patience: options.patience ?? usualPatience,
    downloads: new Shared(),
    flights: new Shared(),
    registry: new RegistryClient(options),
  };
}
