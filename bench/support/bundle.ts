import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "../../test/support/process.ts";

/**
 * An OCI runtime bundle of `rootfs` that runs /bin/true with the configuration that `runtime spec` writes: the namespaces
 * and mounts of a Docker container, without image, overlay or network. Returns its directory.
 */
export async function runtimeBundle(directory: string, runtime: string, rootfs: string): Promise<string> {
  const bundle = join(directory, `bundle-${runtime}`);
  mkdirSync(bundle);
  await succeed(runtime, ["spec"], { cwd: bundle });
  const path = join(bundle, "config.json");
  const spec = JSON.parse(await succeed("cat", [path])) as {
    root: object;
    process: { args: string[]; terminal: boolean };
  };
  spec.root = { path: rootfs, readonly: true };
  spec.process = { ...spec.process, args: ["/bin/true"], terminal: false };
  writeFileSync(path, JSON.stringify(spec));
  return bundle;
}
