import { defineCommand } from "../command.ts";
import { registryAuth } from "../credentials/store.ts";
import { ExitError, invalid } from "../errors.ts";
import { flag, hidden, parsed } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { canonicalReference, withTag } from "../parsing/reference.ts";
import { splitName } from "../parsing/repository.ts";
import { ProgressDisplay, silent } from "../progress/display.ts";
import { pushNotes } from "../progress/push.ts";

export default defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  summary: "Upload an image to a registry",
  arity: { min: 1, max: 1 },
  options: {
    "all-tags": flag("a", "Push all tags of an image to the repository"),
    compression: parsed(
      "",
      "Compress layers by none, gzip or zstd instead of sending them as they are",
      "string",
      parseCompression,
    ),
    // What it switches off has never been on here.
    "disable-content-trust": hidden(flag("", "", true)),
    platform: parsed("", "Push a platform-specific manifest as a single-platform image", "string", parsePlatform),
    quiet: flag("q", "Suppress verbose output"),
  },
  run: async (context, [name = ""], { "all-tags": allTags, compression, platform, quiet }) => {
    const { repo, tag } = splitName(name);
    if (allTags && tag !== undefined) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    const reference = allTags ? name : withTag(name);
    if (reference !== name && !quiet) context.print("Using default tag: latest");
    const lines = await context.client.images.push(repo, {
      tag: allTags ? undefined : splitName(reference).tag,
      platform,
      compression,
      auth: registryAuth(name, context.env),
    });
    const notes: string[] = [];
    await new ProgressDisplay(quiet ? silent : context.stdout).show(pushNotes(lines, notes));
    if (quiet) context.print(allTags ? canonicalReference(name).replace(/:[^/]*$/, "") : canonicalReference(name));
    for (const note of notes) context.warn(note);
    return 0;
  },
});

function parseCompression(text: string): "none" | "gzip" | "zstd" {
  if (text === "none" || text === "gzip" || text === "zstd") return text;
  throw invalid("must be none, gzip or zstd");
}
