import type { Context } from "../context.ts";
import type { Screen } from "./display.ts";
import { ProgressDisplay, silent } from "./display.ts";

export interface PullOptions {
  readonly platform?: string | undefined;
  /** Where progress is shown; nowhere when left out. */
  readonly output: Screen | undefined;
}

/** Has the daemon fetch an image, and shows how it goes. Without a tag or a digest all tags are meant. */
export async function pullImage(context: Context, reference: string, options: PullOptions): Promise<void> {
  const { name, tag } = splitReference(reference);
  const { registryAuth } = await import("../credentials/store.ts");
  const auth = registryAuth(reference, context.env);
  const lines = await context.client.images.pull(name, { tag, platform: options.platform, auth });
  await new ProgressDisplay(options.output ?? silent).show(lines);
}

/** The API's two parts of a reference: the name, and the tag or the digest; without either all tags are meant. */
function splitReference(reference: string): { name: string; tag: string | undefined } {
  const at = reference.indexOf("@");
  const colon = reference.lastIndexOf(":");
  if (at < 0 && colon <= reference.lastIndexOf("/")) return { name: reference, tag: undefined };
  const cut = at >= 0 ? at : colon;
  return { name: reference.slice(0, cut), tag: reference.slice(cut + 1) };
}
