import { SampanError } from "../../errors/index.ts";
import type { LandlockPolicy } from "./policy.ts";
import { type FileRight, fileRights, type Right, releaseOfAbi, scopes, tcpRights } from "./rights.ts";

/** What one ruleset says, in names; all of it the kernel has. */
export interface LandlockRuleset {
  /** What is denied unless a rule allows it. */
  readonly files: readonly FileRight[];
  readonly tcp: readonly (keyof typeof tcpRights)[];
  readonly scope: readonly (keyof typeof scopes)[];
  readonly paths: readonly {
    readonly path: string;
    readonly optional: boolean;
    readonly allow: readonly FileRight[];
  }[];
  readonly ports: readonly { readonly port: number; readonly allow: readonly (keyof typeof tcpRights)[] }[];
}

/** What a kernel knows of Landlock: the version of the interface, and without any, why there is none. */
export interface LandlockSupport {
  readonly abi: number;
  readonly lack?: string;
}

export interface ResolvedPolicy {
  /** Undefined where nothing of it is left. */
  readonly ruleset: LandlockRuleset | undefined;
  /** The words of what this kernel cannot restrict; only ever with `bestEffort`. */
  readonly missing: readonly string[];
}

/** A policy as this kernel can enforce it. Throws `unsupported` for what it cannot, unless the policy does without. */
export function resolveLandlock(policy: LandlockPolicy, support: LandlockSupport): ResolvedPolicy {
  const missing = missingOf(policy, support);
  if (missing.length > 0 && !policy.bestEffort) throw unsupported(missing, support);
  const has = <T extends string>(table: Readonly<Record<T, Right>>, names: Iterable<T>) =>
    [...names].filter((name) => table[name].abi <= support.abi);
  const files = has(fileRights, neededRights(policy.files));
  const tcp = has(tcpRights, policy.tcp.keys());
  const scope = has(scopes, policy.scope);
  const isNothing = files.length + tcp.length + scope.length === 0;
  const ports = [...grouped(tcp, (right) => policy.tcp.get(right) ?? [])].map(([port, allow]) => ({ port, allow }));
  return { ruleset: isNothing ? undefined : { files, tcp, scope, paths: pathsOf(policy, files), ports }, missing };
}

interface Wanted extends Right {
  readonly word: string;
}

function missingOf({ files, tcp, scope }: LandlockPolicy, { abi }: LandlockSupport): string[] {
  const wanted: Wanted[] = [
    ...[...neededRights(files)].map((word) => ({ word, ...fileRights[word] })),
    ...[...tcp.keys()].map((word) => ({ word, ...tcpRights[word] })),
    ...scope.map((word) => ({ word: `scope=${word}`, ...scopes[word] })),
  ];
  return wanted.filter((right) => right.abi > abi).map(describe);
}

/**
 * Moving and linking to other directories is denied by any ruleset with rights of files that does not allow it: a policy
 * that says nothing of it needs that right to allow it everywhere. Before Linux 5.19 nothing can.
 */
function neededRights(files: LandlockPolicy["files"]): Set<FileRight> {
  return new Set(files.size > 0 ? [...files.keys(), "refer"] : []);
}

function describe({ word, abi }: Wanted): string {
  return `${word} (Linux ${releaseOfAbi(abi)})`;
}

function unsupported(missing: readonly string[], { abi, lack }: LandlockSupport): SampanError {
  const without = "or say best-effort to do without";
  if (lack !== undefined) return new SampanError("unsupported", `Cannot restrict by Landlock: ${lack}; ${without}`);
  const what = missing.join(", ");
  return new SampanError(
    "unsupported",
    `Cannot restrict ${what} by Landlock: this kernel's is that of Linux ${releaseOfAbi(abi)}; use a newer one, ${without}`,
  );
}

function pathsOf({ files }: LandlockPolicy, handled: readonly FileRight[]) {
  const everywhere = [{ path: "/", optional: false }];
  const allowed = (right: FileRight) => files.get(right) ?? everywhere;
  const required = new Set(handled.flatMap((right) => allowed(right).flatMap((one) => (one.optional ? [] : one.path))));
  const byPath = grouped(handled, (right) => allowed(right).map(({ path }) => path));
  return [...byPath].map(([path, allow]) => ({ path, optional: !required.has(path), allow }));
}

/** Which rights each thing has, in the order they are named in. */
function grouped<T, R extends string>(rights: readonly R[], of: (right: R) => readonly T[]): Map<T, R[]> {
  const found = new Map<T, R[]>();
  for (const right of rights) {
    for (const one of new Set(of(right))) found.set(one, [...(found.get(one) ?? []), right]);
  }
  return found;
}

/** The bits of some rights. */
export function maskOf<T extends string>(table: Readonly<Record<T, Right>>, names: readonly T[]): number {
  return names.reduce((mask, name) => mask | (1 << table[name].bit), 0);
}
