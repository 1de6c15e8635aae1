import { SampanError } from "../../errors/index.ts";
import { formatPlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import type { Annotation } from "../types.ts";

/** The member of a document that its annotations are; nothing where there are none. */
export function annotationsOf(
  all: readonly Annotation[],
  of: Annotation["of"],
  platform?: Platform,
): { readonly annotations?: Readonly<Record<string, string>> } {
  const own = platform && formatPlatform(platform);
  const found = all.filter((one) => one.of === of && (one.platform === undefined || one.platform === own));
  if (found.length === 0) return {};
  return { annotations: Object.fromEntries(found.map(({ key, value }) => [key, value])) };
}

/** What is said of an index, or in it, cannot be said where one image is built. */
export function checkAnnotations(all: readonly Annotation[], images: number): void {
  if (images > 1 || all.every(({ of }) => of === "manifest")) return;
  throw new SampanError("invalid", "index annotations not supported for single platform export");
}
