import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { asStored, fetchManifest } from "../manifests/fetch.ts";
import { ManifestStore } from "../manifests/store.ts";
import { flag } from "../options.ts";
import { canonicalReference } from "../parsing/reference.ts";

export default defineCommand({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  summary: "Create a local manifest list for annotating and pushing to a registry",
  arity: { min: 2 },
  options: {
    amend: flag("a", "Amend an existing manifest list"),
    insecure: flag("", "Allow communication with an insecure registry"),
  },
  run: async (context, [list = "", ...manifests], { amend, insecure }) => {
    const store = new ManifestStore(context.env);
    const name = canonicalReference(list);
    if (!amend && store.list(name) !== undefined) {
      throw new ExitError(1, "refusing to amend an existing manifest list with no --amend flag");
    }
    const found = [];
    for (const manifest of manifests) found.push(asStored(manifest, await fetchManifest(context, manifest, insecure)));
    for (const manifest of found) store.save(name, manifest);
    context.print(`Created manifest list ${name}`);
    return 0;
  },
});
