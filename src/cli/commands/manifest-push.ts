import { defineCommand } from "../command.ts";
import { registryAuth } from "../credentials/store.ts";
import { ExitError } from "../errors.ts";
import { ManifestStore } from "../manifests/store.ts";
import { flag } from "../options.ts";
import { canonicalReference } from "../parsing/reference.ts";

export default defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST",
  summary: "Push a manifest list to a repository",
  arity: { min: 1, max: 1 },
  options: {
    insecure: flag("", "Allow push to an insecure registry"),
    purge: flag("p", "Remove the local manifest list after push"),
  },
  run: async (context, [list = ""], { insecure, purge }) => {
    const store = new ManifestStore(context.env);
    const name = canonicalReference(list);
    const manifests = store.list(name);
    if (manifests === undefined || manifests.length === 0) throw new ExitError(1, `${name} not found`);
    const request = { Manifests: manifests.map(({ Ref, Descriptor }) => ({ Ref, Descriptor })) };
    const auth = registryAuth(list, context.env);
    context.print(await context.client.images.pushIndex(name, request, { insecure, auth }));
    if (purge) store.remove(name);
    return 0;
  },
});
