import { readFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import { capabilities } from "../../kernel/capabilities.ts";
import { isRlimitName, type RlimitName, readHardLimits } from "../../kernel/rlimits.ts";
import type { Rlimit } from "../../runtime/types.ts";
import type { Ulimit } from "../config.ts";

/** Our own hard limits; undefined where we may raise limits (CAP_SYS_RESOURCE). */
export type Ceilings = ReadonlyMap<RlimitName, number> | undefined;

/** What containers get unless they ask for something else; lowered to what we have ourselves. */
const defaults: readonly Rlimit[] = [{ name: "nofile", soft: 1024, hard: 524288 }];

const unlimited = Number.POSITIVE_INFINITY;

/** Throws `invalid` for a limit that makes no sense and `unsupported` for one that this machine's daemon cannot give. */
export function resolveUlimits(asked: readonly Ulimit[] | null, ceilings: Ceilings): Rlimit[] {
  const limits = (asked ?? []).map((ulimit) => checked(ulimit, ceilings));
  const named = new Set(limits.map(({ name }) => name));
  return [...defaults.filter(({ name }) => !named.has(name)).map((limit) => lowered(limit, ceilings)), ...limits];
}

function checked({ Name, Soft, Hard }: Ulimit, ceilings: Ceilings): Rlimit {
  const name = Name.toLowerCase();
  if (!isRlimitName(name)) throw new SampanError("invalid", `invalid ulimit type: ${Name}`);
  if (size(Soft) > size(Hard)) {
    throw new SampanError("invalid", `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
  }
  const ceiling = ceilings?.get(name);
  if (ceiling !== undefined && size(Hard) > size(ceiling)) {
    const text = `the daemon's own hard limit is ${ceiling} and it lacks CAP_SYS_RESOURCE to raise it`;
    throw new SampanError("unsupported", `Cannot set ulimit ${name} to ${Soft}:${Hard}: ${text}`);
  }
  return { name, soft: Soft, hard: Hard };
}

function lowered({ name, soft, hard }: Rlimit, ceilings: Ceilings): Rlimit {
  const ceiling = ceilings?.get(name);
  if (ceiling === undefined || size(hard) <= size(ceiling)) return { name, soft, hard };
  return { name, soft: Math.min(soft, size(ceiling)), hard: ceiling };
}

/** -1 is no limit, hence the largest. */
function size(limit: number): number {
  return limit < 0 ? unlimited : limit;
}

/** What this process may give: `limits` and `status` are the texts of /proc/self's files (proc(5)). */
export function readCeilings(
  limits: string = readFileSync("/proc/self/limits", "utf8"),
  status: string = readFileSync("/proc/self/status", "utf8"),
): Ceilings {
  const [, effective = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if ((BigInt(`0x${effective}`) >> BigInt(capabilities.CAP_SYS_RESOURCE)) & 1n) return undefined;
  return readHardLimits(limits);
}
