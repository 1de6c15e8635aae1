import type { TarEntry } from "../../storage/tar/entry.ts";
import type { Job } from "./job.ts";

/** When something that is made now was made. */
export function timeOf({ epoch }: Pick<Job, "epoch">): TarEntry["mtime"] {
  return { seconds: epoch ?? Math.floor(Date.now() / 1000), nanoseconds: 0 };
}
