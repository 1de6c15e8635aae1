import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { asStored, fetchManifest } from "../manifests/fetch.ts";
import { ManifestStore, type StoredManifest } from "../manifests/store.ts";
import { flag } from "../options.ts";
import { canonicalReference } from "../parsing/reference.ts";

export default defineCommand({
  usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
  summary: "Display an image manifest, or manifest list",
  arity: { min: 1, max: 2 },
  options: {
    insecure: flag("", "Allow communication with an insecure registry"),
    verbose: flag("v", "Output additional info including layers and platform"),
  },
  run: async (context, [first = "", second], { insecure, verbose }) => {
    const store = new ManifestStore(context.env);
    if (second !== undefined) {
      const manifest = store.get(canonicalReference(first), canonicalReference(second));
      if (manifest === undefined) throw new ExitError(1, `No such manifest: ${second}`);
      printOne(context, manifest, verbose);
      return 0;
    }
    const local = store.list(canonicalReference(first));
    if (local !== undefined) {
      print(context, verbose ? local : listOf(local), 3);
      return 0;
    }
    const remote = await fetchManifest(context, first, insecure);
    if (remote.Platform !== undefined) printOne(context, asStored(first, remote), verbose);
    else print(context, verbose ? await entriesOf(context, first, remote.Raw, insecure) : parsed(remote.Raw), 3);
    return 0;
  },
});

function printOne(context: Context, manifest: StoredManifest, verbose: boolean): void {
  print(context, verbose ? manifest : parsed(manifest.Raw), "\t");
}

function print(context: Context, value: unknown, indentation: number | string): void {
  context.print(JSON.stringify(value, undefined, indentation));
}

function parsed(raw: string): { readonly manifests?: readonly StoredManifest["Descriptor"][] } {
  return JSON.parse(Buffer.from(raw, "base64").toString("utf8"));
}

/** The list as it would be pushed. */
function listOf(manifests: readonly StoredManifest[]): object {
  const docker = manifests.every(({ Descriptor }) => /vnd\.docker\./.test(Descriptor.mediaType));
  const mediaType = docker
    ? "application/vnd.docker.distribution.manifest.list.v2+json"
    : "application/vnd.oci.image.index.v1+json";
  return { schemaVersion: 2, mediaType, manifests: manifests.map(({ Descriptor }) => Descriptor) };
}

/** Every manifest of a list that a registry has, in full. */
async function entriesOf(context: Context, name: string, raw: string, insecure: boolean): Promise<StoredManifest[]> {
  const repository = canonicalReference(name).replace(/@.*$|:[^/:]*$/, "");
  const entries: StoredManifest[] = [];
  for (const { digest, platform } of parsed(raw).manifests ?? []) {
    const reference = `${repository}@${digest}`;
    const one = asStored(reference, await fetchManifest(context, reference, insecure));
    entries.push({ ...one, Descriptor: { ...one.Descriptor, ...(platform && { platform }) } });
  }
  return entries;
}
