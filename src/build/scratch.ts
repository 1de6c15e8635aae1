import { join } from "node:path";
import type { Layout } from "../storage/layout.ts";

/** Where builds have what lies on the disk only while they run; it is emptied when the daemon starts. */
export function scratchDirectory({ tmp }: Pick<Layout, "tmp">): string {
  return join(tmp, "builds");
}
