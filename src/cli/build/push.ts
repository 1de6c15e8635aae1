import type { Context } from "../context.ts";
import { registryAuth } from "../credentials/store.ts";
import { withTag } from "../parsing/reference.ts";
import { splitName } from "../parsing/repository.ts";
import { ProgressDisplay, type Screen } from "../progress/display.ts";

/** Brings an image to the registries of its names. */
export async function pushAll(context: Context, names: readonly string[], screen: Screen): Promise<void> {
  for (const name of names) {
    const { repo, tag } = splitName(withTag(name));
    const auth = registryAuth(name, context.env);
    await new ProgressDisplay(screen).show(await context.client.images.push(repo, { tag, auth }));
  }
}
