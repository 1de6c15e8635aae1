import { defineCommand } from "../command.ts";
import { flag, hidden, later, parsed } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { canonicalReference, withTag } from "../parsing/reference.ts";
import { pullImage } from "../progress/pull.ts";

export default defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  arity: { min: 1, max: 1 },
  options: {
    "all-tags": later("pulling all tags is", { short: "a", isSwitch: true }),
    // What it switches off has never been on here.
    "disable-content-trust": hidden(flag("", "", true)),
    platform: parsed("", "Set platform if server is multi-platform capable", "string", parsePlatform),
    quiet: flag("q", "Suppress verbose output"),
  },
  run: async (context, [name = ""], { platform, quiet }) => {
    const reference = withTag(name);
    if (reference !== name && !quiet) context.print("Using default tag: latest");
    await pullImage(context, reference, { platform, output: quiet ? undefined : context.stdout });
    context.print(canonicalReference(name));
    return 0;
  },
});
