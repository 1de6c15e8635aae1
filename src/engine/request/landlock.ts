import { parseLandlockPolicy } from "../../kernel/landlock/parse.ts";
import type { LandlockPolicy } from "../../kernel/landlock/policy.ts";
import { landlockAnnotation } from "../../kernel/landlock/policy.ts";
import { type ResolvedPolicy, resolveLandlock } from "../../kernel/landlock/ruleset.ts";
import { landlockSupport } from "../../kernel/landlock/support.ts";
import type { ProcessSpec } from "../../runtime/types.ts";
import type { HostConfigRequest } from "../config.ts";
import type { EngineParts } from "../parts.ts";
import { securityOptions } from "./security.ts";

type Said = Pick<HostConfigRequest, "SecurityOpt" | "Annotations">;
type Parts = Pick<EngineParts, "executor">;

/** Everything that is said of Landlock: by `--security-opt landlock=…`, and by the annotation that OCI runtimes are told by. */
function policiesOf({ SecurityOpt, Annotations }: Said): readonly LandlockPolicy[] {
  const { landlock } = securityOptions(SecurityOpt ?? []);
  const annotation = Annotations?.[landlockAnnotation];
  return annotation === undefined ? landlock : [...landlock, parseLandlockPolicy(annotation)];
}

async function resolve({ executor }: Parts, policies: readonly LandlockPolicy[]): Promise<ResolvedPolicy[]> {
  const support = await landlockSupport(executor);
  return policies.map((policy) => resolveLandlock(policy, support));
}

/**
 * A process of a container, the first one or an exec's, under the container's rules. Throws `unsupported` when this kernel
 * cannot enforce them. No promise where there are none: a start is what users wait for.
 */
export function withLandlock(parts: Parts, host: Said, process: ProcessSpec): ProcessSpec | Promise<ProcessSpec> {
  const policies = policiesOf(host);
  if (policies.length === 0) return process;
  return resolve(parts, policies).then((resolved) => ({
    ...process,
    landlock: resolved.flatMap(({ ruleset }) => ruleset ?? []),
  }));
}

/** What a container that is asked for will have to do without, as warnings. Throws as `withLandlock`, and `invalid` for what is no policy. */
export async function landlockWarnings(parts: Parts, host: Said | null | undefined): Promise<string[]> {
  const policies = policiesOf(host ?? {});
  if (policies.length === 0) return [];
  const missing = new Set((await resolve(parts, policies)).flatMap((resolved) => resolved.missing));
  return [...missing].map((what) => `This kernel's Landlock cannot restrict ${what}: done without, as was asked for`);
}
