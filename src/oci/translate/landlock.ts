import { messageOf, SampanError } from "../../errors/index.ts";
import { parseLandlockPolicy } from "../../kernel/landlock/parse.ts";
import { landlockAnnotation } from "../../kernel/landlock/policy.ts";
import { resolveLandlock } from "../../kernel/landlock/ruleset.ts";
import { landlockSupport } from "../../kernel/landlock/support.ts";
import type { Worker } from "../../kernel/worker.ts";
import type { ProcessSpec } from "../../runtime/types.ts";
import type { Context } from "../context.ts";

interface Around {
  readonly worker: Worker;
  readonly log: Context["log"];
}

/** The annotation of a container as every process of it takes it. Throws `invalid` or `unsupported` by the annotation's name. */
export async function landlockOf(
  annotations: Readonly<Record<string, string>>,
  { worker, log }: Around,
): Promise<Pick<ProcessSpec, "landlock">> {
  const text = annotations[landlockAnnotation];
  if (text === undefined) return {};
  const support = await landlockSupport(worker);
  try {
    const { ruleset, missing } = resolveLandlock(parseLandlockPolicy(text), support);
    if (missing.length > 0) log.warn(`this kernel's Landlock cannot restrict ${missing.join(", ")}`);
    return ruleset === undefined ? {} : { landlock: [ruleset] };
  } catch (cause) {
    const kind = cause instanceof SampanError ? cause.kind : "internal";
    throw new SampanError(kind, `annotations.${landlockAnnotation}: ${messageOf(cause)}`, { cause });
  }
}
