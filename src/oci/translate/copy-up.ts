import { SampanError } from "../../errors/index.ts";
import type { BundleMount } from "../../runtime/bundle/types.ts";

/**
 * Settles which `tmpcopyup` mounts are filled from the root file system. One in a new file system finds nothing in its place; one
 * in another `tmpcopyup` finds what the image has there, too. What is in a bind mount is not the image's: `unsupported`.
 */
export function settleCopyUps(mounts: readonly BundleMount[]): BundleMount[] {
  return mounts.map((mount, index) => {
    if (mount.kind !== "file-system" || !mount.copyUp) return mount;
    const around = mounts.slice(0, index).findLast((before) => covers(before, mount));
    if (around === undefined || (around.kind === "file-system" && around.copyUp)) return mount;
    if (around.kind === "file-system") return { ...mount, copyUp: false };
    const why = `${mount.target} is in the mount of ${around.target}, and only the image's files are copied`;
    throw new SampanError("unsupported", `mounts[${index}].options: tmpcopyup is not supported here: ${why}`);
  });
}

function covers(before: BundleMount, { target }: BundleMount): boolean {
  return before.kind !== "remount" && `${target}/`.startsWith(`${before.target.replace(/\/$/, "")}/`);
}
