import { realpathSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import { mountOf } from "../../kernel/mount-points.ts";
import type { Propagation } from "../../runtime/types.ts";

/** What the file system that a path lies in has to be, by the propagation that is asked for. */
const needed: Partial<Record<Propagation, { readonly tags: RegExp; readonly what: string }>> = {
  shared: { tags: /^shared:/, what: "a shared" },
  rshared: { tags: /^shared:/, what: "a shared" },
  slave: { tags: /^(?:shared|master):/, what: "a shared or slave" },
  rslave: { tags: /^(?:shared|master):/, what: "a shared or slave" },
};

/** Refuses a propagation that the machine's mount does not take part in, with dockerd's texts. */
export function checkPropagation(source: string, propagation: Propagation): void {
  const need = needed[propagation];
  if (need === undefined) return;
  const { point, tags } = mountOf(realpathSync(source));
  if (tags.some((tag) => need.tags.test(tag))) return;
  throw new SampanError("invalid", `path ${source} is mounted on ${point} but it is not ${need.what} mount`);
}
