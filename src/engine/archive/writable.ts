import { SampanError } from "../../errors/index.ts";
import type { ContainerRecord } from "../records/record.ts";

/** Refuses to write where the container itself may not, in dockerd's words. `path` has no links in it. */
export function checkWritable(
  { mounts, hostConfig }: Pick<ContainerRecord, "mounts" | "hostConfig">,
  path: string,
): void {
  const over = mounts.filter(({ destination }) => path === destination || path.startsWith(`${destination}/`));
  const mount = over.toSorted((a, b) => b.destination.length - a.destination.length)[0];
  if (mount?.readOnly) throw new SampanError("invalid", "mounted volume is marked read-only");
  if (mount === undefined && hostConfig.ReadonlyRootfs) {
    throw new SampanError("invalid", "container rootfs is marked read-only");
  }
}
