import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { ManifestStore } from "../manifests/store.ts";
import { list, text } from "../options.ts";
import { canonicalReference } from "../parsing/reference.ts";

export default defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
  summary: "Add additional information to a local image manifest",
  arity: { min: 2, max: 2 },
  options: {
    arch: text("", "Set architecture"),
    os: text("", "Set operating system"),
    "os-features": list("", "Set operating system feature"),
    "os-version": text("", "Set operating system version"),
    variant: text("", "Set architecture variant"),
  },
  run: async (context, [written = "", manifest = ""], given) => {
    const store = new ManifestStore(context.env);
    const name = canonicalReference(written);
    const found = store.get(name, canonicalReference(manifest));
    if (found === undefined) throw new ExitError(1, `manifest for image ${manifest} does not exist in ${written}`);
    const { os = "", architecture = "", ...rest } = found.Descriptor.platform ?? {};
    const platform = {
      ...rest,
      architecture: given.arch ?? architecture,
      os: given.os ?? os,
      ...(given["os-version"] !== undefined && { "os.version": given["os-version"] }),
      ...(given["os-features"].length > 0 && { "os.features": given["os-features"].flatMap((one) => one.split(",")) }),
      ...(given.variant !== undefined && { variant: given.variant }),
    };
    if (platform.os === "" || platform.architecture === "") {
      const combination = `${platform.os}/${platform.architecture}`;
      throw new ExitError(1, `manifest entry for image has unsupported os/arch combination: ${combination}`);
    }
    store.save(name, { ...found, Descriptor: { ...found.Descriptor, platform } });
    return 0;
  },
});
