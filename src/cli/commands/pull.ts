import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { flag, hidden, parsed } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { canonicalReference, withTag } from "../parsing/reference.ts";
import { pullImage } from "../progress/pull.ts";

export default defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  arity: { min: 1, max: 1 },
  options: {
    "all-tags": flag("a", "Download all tagged images in the repository"),
    // What it switches off has never been on here.
    "disable-content-trust": hidden(flag("", "", true)),
    platform: parsed("", "Set platform if server is multi-platform capable", "string", parsePlatform),
    quiet: flag("q", "Suppress verbose output"),
  },
  run: async (context, [name = ""], { "all-tags": allTags, platform, quiet }) => {
    if (allTags) return await pullAll(context, name, { platform, quiet });
    const reference = withTag(name);
    if (reference !== name && !quiet) context.print("Using default tag: latest");
    await pullImage(context, reference, { platform, output: quiet ? undefined : context.stdout });
    context.print(canonicalReference(name));
    return 0;
  },
});

async function pullAll(
  context: Context,
  name: string,
  { platform, quiet }: { platform: string | undefined; quiet: boolean },
): Promise<number> {
  if (withTag(name) === name) throw new ExitError(1, "tag can't be used with --all-tags/-a");
  await pullImage(context, name, { platform, output: quiet ? undefined : context.stdout });
  context.print(canonicalReference(name).replace(/:latest$/, ""));
  return 0;
}
