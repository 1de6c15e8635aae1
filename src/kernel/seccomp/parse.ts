import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import { actionNames } from "./actions.ts";
import { foreignArchNames, seccompArchs } from "./architectures.ts";
import { filterFlagNames, type KernelVersion, operators, type SeccompProfile } from "./profile.ts";

/** Absent, null and empty are one in Go's JSON. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const u64 = z
  .union([z.number().int(), z.bigint()])
  .transform(BigInt)
  .refine((value) => value >= 0n && value < 1n << 64n, "must be an unsigned 64-bit number");

const optionalU64 = u64.nullish().transform((value) => value ?? 0n);
const errno = z
  .number()
  .int()
  .min(0)
  .nullish()
  .transform((value) => value ?? undefined);

const notify = "SCMP_ACT_NOTIFY";
const action = z.enum(actionNames).transform((name, context) => {
  if (name !== notify) return name;
  context.addIssue({
    code: "custom",
    message: "SCMP_ACT_NOTIFY needs a listener, which Sampan does not support: use SCMP_ACT_ERRNO",
  });
  return z.NEVER;
});

const architecture = z
  .string()
  .refine((name) => Object.hasOwn(seccompArchs, name) || foreignArchNames.has(name), "is not a seccomp architecture");

const kernelVersion = z.string().transform((text, context): KernelVersion | undefined => {
  if (text === "") return undefined;
  const match = /^(\d{1,3})\.(\d{1,3})$/.exec(text);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && major + minor > 0) return { major, minor };
  context.addIssue({ code: "custom", message: `invalid kernel version: "${text}", expected "<kernel>.<major>"` });
  return z.NEVER;
});

const condition = z
  .object({ caps: list(z.string()), arches: list(z.string()), minKernel: kernelVersion.nullish() })
  .nullish()
  .transform((value) => ({
    caps: value?.caps ?? [],
    arches: value?.arches ?? [],
    minKernel: value?.minKernel ?? undefined,
  }));

const argument = z.object({
  index: z.number().int().min(0).max(5),
  value: optionalU64,
  valueTwo: optionalU64,
  op: z.enum(operators),
});

const rule = z
  .object({
    name: z.string().nullish(),
    names: list(z.string()),
    action,
    errnoRet: errno,
    args: list(argument),
    includes: condition,
    excludes: condition,
  })
  .refine((value) => !value.name || value.names.length === 0, {
    message: "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
  })
  .transform(({ name, errnoRet, ...rest }) => ({ ...rest, errno: errnoRet, names: name ? [name] : rest.names }));

const profile = z
  .object({
    defaultAction: action,
    defaultErrnoRet: errno,
    architectures: list(architecture),
    archMap: list(z.object({ architecture, subArchitectures: list(architecture) })),
    flags: z.array(z.enum(filterFlagNames)).nullish(),
    listenerPath: z.string().max(0, "a seccomp listener is not supported: remove listenerPath").nullish(),
    syscalls: list(rule),
  })
  .refine((value) => value.architectures.length === 0 || value.archMap.length === 0, {
    message:
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
  })
  .transform(
    ({ defaultErrnoRet, listenerPath: _, flags, ...rest }): SeccompProfile => ({
      ...rest,
      defaultErrno: defaultErrnoRet,
      flags: flags ?? undefined,
    }),
  );

/**
 * Reads a profile in Docker's JSON format (`--security-opt seccomp=FILE`). Undefined stands for the empty profile, which
 * means no filter. Throws `invalid` that names the first field that is wrong.
 */
export function parseSeccompProfile(json: string): SeccompProfile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json, keepLargeIntegers);
  } catch (error) {
    throw new SampanError("invalid", `Decoding seccomp profile failed: ${(error as Error).message}`, { cause: error });
  }
  if (isEmpty(value)) return undefined;
  const result = profile.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new SampanError("invalid", `Decoding seccomp profile failed: ${where}${issue?.message}`, {
    cause: result.error,
  });
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { defaultAction, syscalls } = value as { defaultAction?: unknown; syscalls?: unknown };
  return !defaultAction && (!syscalls || (Array.isArray(syscalls) && syscalls.length === 0));
}

/** Argument values are unsigned 64-bit numbers: beyond 2^53 only their source text is exact. */
function keepLargeIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^\d+$/.test(source) ? BigInt(source) : value;
}
