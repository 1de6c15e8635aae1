import { SampanError } from "../../errors/index.ts";
import {
  type BundleNamespace,
  type BundleNamespaces,
  type NamespaceKind,
  namespaceKinds,
} from "../../runtime/bundle/types.ts";
import type { OciLinux } from "../config/linux.ts";

/** `linux.namespaces`: what is listed is made, or joined by its path; what is not, is the caller's. */
export function namespacesOf(linux: OciLinux): BundleNamespaces {
  const found = new Map<NamespaceKind, BundleNamespace>();
  const seen = new Set<string>();
  for (const [index, { type, path }] of linux.namespaces.entries()) {
    const field = `linux.namespaces[${index}]`;
    if (seen.has(type)) throw new SampanError("invalid", `${field}: the type ${type} is there twice`);
    seen.add(type);
    if (type === "user" || type === "time")
      throw new SampanError("unsupported", `${field} is not supported: ${type} namespaces are not made yet`);
    if (type === "mount") {
      if (path) throw new SampanError("unsupported", `${field}.path is not supported: a mount namespace is not joined`);
    } else found.set(type, path ? { path: absolute(path, field) } : "new");
  }
  if (!seen.has("mount"))
    throw new SampanError("unsupported", "linux.namespaces: a container without a mount namespace is not supported");
  const all = namespaceKinds.map((kind) => [kind, found.get(kind) ?? "host"] as const);
  return Object.fromEntries(all) as Record<NamespaceKind, BundleNamespace>;
}

function absolute(path: string, field: string): string {
  if (path.startsWith("/")) return path;
  throw new SampanError("invalid", `${field}.path: ${path} is not an absolute path`);
}
