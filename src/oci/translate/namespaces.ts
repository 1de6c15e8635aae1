import { SampanError } from "../../errors/index.ts";
import { type NamespaceKind, namespaceKinds } from "../../runtime/bundle/namespace-kinds.ts";
import type { BundleNamespace, BundleNamespaces } from "../../runtime/bundle/types.ts";
import type { TimeOffsets } from "../../runtime/time-namespace.ts";
import type { OciLinux } from "../config/linux.ts";

/** `linux.namespaces`: what is listed is made, or joined by its path; what is not, is the caller's. */
export function namespacesOf(linux: OciLinux): BundleNamespaces {
  const found = new Map<NamespaceKind, BundleNamespace>();
  const seen = new Set<string>();
  for (const [index, { type, path }] of linux.namespaces.entries()) {
    const field = `linux.namespaces[${index}]`;
    if (seen.has(type)) throw new SampanError("invalid", `${field}: the type ${type} is there twice`);
    seen.add(type);
    if (type !== "mount") found.set(type, path ? { path: absolute(path, field) } : "new");
  }
  if (!seen.has("mount"))
    throw new SampanError(
      "unsupported",
      "linux.namespaces: a container without a mount namespace is not supported: its mounts would be the machine's, and outlive it",
    );
  const all = namespaceKinds.map((kind) => [kind, found.get(kind) ?? "host"] as const);
  return Object.fromEntries(all) as Record<NamespaceKind, BundleNamespace>;
}

/**
 * The path of the mount namespace that the container takes over, undefined where it has a new one. With a user namespace of its own
 * it could not: that owns none but its own.
 */
export function mountNamespaceOf(linux: OciLinux, { user }: BundleNamespaces): string | undefined {
  const index = linux.namespaces.findIndex(({ type, path }) => type === "mount" && path);
  const path = linux.namespaces[index]?.path;
  if (!path) return undefined;
  const field = `linux.namespaces[${index}]`;
  if (user !== "host")
    throw new SampanError("unsupported", `${field}.path is not supported together with a user namespace`);
  return absolute(path, field);
}

function absolute(path: string, field: string): string {
  if (path.startsWith("/")) return path;
  throw new SampanError("invalid", `${field}.path: ${path} is not an absolute path`);
}

/** `linux.timeOffsets`: of a time namespace that is made for the container. */
export function timeOffsetsOf({ timeOffsets }: OciLinux, namespaces: BundleNamespaces): TimeOffsets {
  const clocks = Object.entries(timeOffsets ?? {}).flatMap(([clock, offset]) => {
    if (offset === undefined) return [];
    const { secs, nanosecs } = offset;
    if (nanosecs < 0 || nanosecs > 999_999_999)
      throw new SampanError("invalid", `linux.timeOffsets.${clock}.nanosecs: ${nanosecs} is not below a second`);
    return [[clock, { seconds: secs, nanoseconds: nanosecs }] as const];
  });
  if (clocks.length > 0 && namespaces.time !== "new")
    throw new SampanError("invalid", "linux.timeOffsets: it needs a new time namespace");
  return Object.fromEntries(clocks);
}
