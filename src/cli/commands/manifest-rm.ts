import { defineCommand } from "../command.ts";
import { ManifestStore } from "../manifests/store.ts";
import { canonicalReference } from "../parsing/reference.ts";

export default defineCommand({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  summary: "Delete one or more manifest lists from local storage",
  arity: { min: 1 },
  options: {},
  run: async (context, lists) => {
    const store = new ManifestStore(context.env);
    const missing = lists.filter((list) => !store.remove(canonicalReference(list)));
    for (const list of missing) context.warn(`No such manifest: ${list}`);
    return missing.length === 0 ? 0 : 1;
  },
});
