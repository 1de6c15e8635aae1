import { statSync } from "node:fs";
import { posix, resolve } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { IdMap } from "../../runtime/bundle/idmap.ts";
import type { BundleMount, BundleNamespace } from "../../runtime/bundle/types.ts";
import type { OciMount } from "../config/config.ts";
import { settleCopyUps } from "./copy-up.ts";
import { mappingsOf } from "./mappings.ts";
import { sortOptions } from "./mount-options.ts";

/** `mounts` of config.json. Relative sources are the bundle's. */
export function mountsOf(mounts: readonly OciMount[], bundle: string, users: BundleNamespace): BundleMount[] {
  const all = mounts.map((mount, index): BundleMount => {
    const field = `mounts[${index}]`;
    const made = mountOf(mount, bundle, field);
    const idMap = idMapOf(mount, users, field);
    if (idMap === undefined) return made;
    if (made.kind !== "bind") throw new SampanError("invalid", `${field}: only a bind mount can be idmapped`);
    return { ...made, idMap };
  });
  return settleCopyUps(all);
}

/** Options for a file system, of bind mounts, which have none of their own to tell: as with mount(2), nobody looks at them. */
export function ignoredOptions(mounts: readonly OciMount[]): string[] {
  return mounts.flatMap(({ type, options: given }, index) => {
    const field = `mounts[${index}].options`;
    const { bind, remount, superblock, data } = sortOptions(given, field);
    if (remount || (bind === "no" && type !== "bind")) return [];
    return [...superblock, ...data.map(([name]) => name)].map((name) => `${field}: ${name}`);
  });
}

function mountOf(mount: OciMount, bundle: string, field: string): BundleMount {
  const target = posix.resolve("/", mount.destination);
  const options = sortOptions(mount.options, `${field}.options`);
  const { attributes, propagation } = options;
  const common = { target, attributes, propagation };
  const type = mount.type ?? "";
  if (options.remount) return { kind: "remount", ...common };
  const isBind = type === "bind" || options.bind !== "no";
  if (options.copyUp && (isBind || type !== "tmpfs"))
    throw new SampanError(
      "invalid",
      `${field}.options: tmpcopyup is for a tmpfs, not for ${isBind ? "a bind mount" : type}`,
    );
  if (isBind) {
    return { kind: "bind", ...common, ...sourceOf(mount, bundle, field), recursive: options.bind === "recursive" };
  }
  if (type === "") throw new SampanError("invalid", `${field}.type is missing, and no option says bind`);
  refuseInProc(target, type, field);
  if (type === "cgroup" || type === "cgroup2") return { kind: "cgroups", ...common };
  const flags = options.superblock.map((name) => [name, true] as const);
  const data = [...flags, ...options.data];
  return { kind: "file-system", ...common, type, source: mount.source ?? type, options: data, copyUp: options.copyUp };
}

/** Mappings of its own, or by `idmap` and `ridmap` those of the container's user namespace. */
function idMapOf(mount: OciMount, users: BundleNamespace, field: string): IdMap | undefined {
  const { idmap } = sortOptions(mount.options, `${field}.options`);
  const recursive = idmap === "recursive";
  const mappings = mappingsOf(mount, field);
  if (mappings.users.length > 0 && mappings.groups.length > 0) return { mappings, recursive };
  if (mappings.users.length > 0 || mappings.groups.length > 0)
    throw new SampanError("invalid", `${field}: uidMappings and gidMappings belong together`);
  if (idmap === "no") return undefined;
  if (users === "host")
    throw new SampanError(
      "invalid",
      `${field}.options: ${idmap === "flat" ? "" : "r"}idmap needs mappings: it has none, nor a user namespace`,
    );
  return { mappings: "container", recursive };
}

function sourceOf(mount: OciMount, bundle: string, field: string): { source: string; sourceIsDirectory: boolean } {
  if (!mount.source) throw new SampanError("invalid", `${field}.source is missing: a bind mount needs one`);
  const source = resolve(bundle, mount.source);
  const status = statSync(source, { throwIfNoEntry: false });
  if (status === undefined) throw new SampanError("not-found", `${field}.source: ${source}: no such file or directory`);
  return { source, sourceIsDirectory: status.isDirectory() };
}

/** A file system over a part of /proc would let the container feign what this runtime and its tools read there (CVE-2019-19921). */
function refuseInProc(target: string, type: string, field: string): void {
  if (target === "/proc" && type !== "proc")
    throw new SampanError("invalid", `${field}.destination: /proc must be of type proc, not ${type}`);
  if (target.startsWith("/proc/"))
    throw new SampanError("invalid", `${field}.destination: ${target} cannot be mounted because it is inside /proc`);
}
