import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Turns the configuration that `runc spec` or `crun spec` has written into `bundle` into one that runs /bin/true in
 * `rootfs`, a path as the runtime will see it: a Docker container's namespaces and mounts, without image, overlay or network.
 */
export function configureBundle(bundle: string, rootfs: string): void {
  const path = join(bundle, "config.json");
  const spec = JSON.parse(readFileSync(path, "utf8")) as {
    root: object;
    process: { args: string[]; terminal: boolean };
  };
  spec.root = { path: rootfs, readonly: true };
  spec.process = { ...spec.process, args: ["/bin/true"], terminal: false };
  writeFileSync(path, JSON.stringify(spec));
}

/** An empty bundle directory. */
export function bundleDirectory(parent: string, runtime: string): string {
  const bundle = join(parent, `bundle-${runtime}`);
  mkdirSync(bundle, { recursive: true });
  rmSync(join(bundle, "config.json"), { force: true }); // an earlier run's
  return bundle;
}
