import type { CapabilityName } from "../capabilities.ts";
import { errnoNumber } from "../errno.ts";
import type { Arch } from "../syscalls/index.ts";
import { actionValue } from "./actions.ts";
import { archNames, type SeccompArch, type SeccompArchName, seccompArchs } from "./architectures.ts";
import { multiplexedForm } from "./multiplexed.ts";
import type { ArgumentTest, KernelVersion, RuleCondition, SeccompProfile, SyscallRule } from "./profile.ts";

/** What a profile's conditions are about. */
export interface SeccompContext {
  readonly arch: Arch;
  /** The container's bounding set. */
  readonly capabilities: readonly CapabilityName[];
  readonly kernel: KernelVersion;
}

/** What a filter does with one system call: the first alternative whose tests all hold, else `otherwise`. */
export interface Outcome {
  readonly alternatives: readonly Alternative[];
  /** A filter's return value. */
  readonly otherwise: number;
}

export interface Alternative {
  readonly tests: readonly ArgumentTest[];
  readonly action: number;
}

/** One architecture's decisions, before they become code. */
export interface ArchDecisions {
  readonly arch: SeccompArch;
  /** By number; what is not in here gets `unlisted` up to `last` and `newer` beyond. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly unlisted: number;
  /** The largest number the profile names, ARM's private range aside. */
  readonly last: number;
  readonly newer: number;
}

/**
 * The decisions of a profile for one container, the native architecture first.
 *
 * As in libseccomp and runc: a rule without argument tests beats those with, and the first of them counts; a rule that
 * says what the default says is dropped; names an architecture does not know are skipped; a call newer than every one
 * the profile names fails with ENOSYS instead of the default errno, so that programs fall back to an older call.
 */
export function resolveProfile(profile: SeccompProfile, context: SeccompContext): ArchDecisions[] {
  const rules = profile.syscalls.filter((rule) => applies(rule, context));
  const unlisted = actionValue(profile.defaultAction, profile.defaultErrno);
  const lenient = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(profile.defaultAction);
  const newer = lenient ? unlisted : actionValue("SCMP_ACT_ERRNO", errnoNumber("ENOSYS"));
  return architecturesOf(profile, context.arch).map((name) => {
    const arch: SeccompArch = seccompArchs[name];
    const numbers = rules.flatMap((rule) => rule.names.map((syscall) => numberIn(arch, syscall) ?? -1));
    const last = numbers.reduce((most, number) => (number >>> 16 === armPrivate ? most : Math.max(most, number)), -1);
    return { arch, outcomes: outcomesFor(name, rules, unlisted), unlisted, last, newer: last < 0 ? unlisted : newer };
  });
}

/** The upper half of the numbers of ARM's private calls, far beyond the real ones. */
const armPrivate = 0x0f;

function architecturesOf(profile: SeccompProfile, arch: Arch): SeccompArchName[] {
  const { native, also } = archNames[arch];
  const entry = profile.archMap.find(({ architecture }) => architecture === native);
  const wanted = new Set([...profile.architectures, ...(entry?.subArchitectures ?? [])]);
  return [native, ...also.filter((name) => wanted.has(name))];
}

function applies(rule: SyscallRule, context: SeccompContext): boolean {
  const { includes, excludes } = rule;
  const { condition } = archNames[context.arch];
  const has = (cap: string) => (context.capabilities as readonly string[]).includes(cap);
  if (excludes.arches.includes(condition) || excludes.caps.some(has)) return false;
  if (excludes.minKernel !== undefined && atLeast(context.kernel, excludes.minKernel)) return false;
  return includesHold(includes, condition, has, context.kernel);
}

function includesHold(
  { arches, caps, minKernel }: RuleCondition,
  arch: string,
  has: (cap: string) => boolean,
  kernel: KernelVersion,
): boolean {
  if (arches.length > 0 && !arches.includes(arch)) return false;
  return caps.every(has) && (minKernel === undefined || atLeast(kernel, minKernel));
}

function atLeast(kernel: KernelVersion, wanted: KernelVersion): boolean {
  return kernel.major > wanted.major || (kernel.major === wanted.major && kernel.minor >= wanted.minor);
}

function numberIn(arch: SeccompArch, name: string): number | undefined {
  return Object.hasOwn(arch.syscalls, name) ? arch.syscalls[name] : undefined;
}

function outcomesFor(name: SeccompArchName, rules: readonly SyscallRule[], unlisted: number): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  for (const rule of rules) {
    const action = actionValue(rule.action, rule.errno);
    if (action === unlisted) continue;
    for (const syscall of rule.names) {
      const number = numberIn(seccompArchs[name], syscall);
      if (number !== undefined) add(outcomes, number, alternativesOf(rule.args, action), unlisted);
      const multiplexed = name === "SCMP_ARCH_X86" ? multiplexedForm(syscall) : undefined;
      if (multiplexed !== undefined)
        add(outcomes, multiplexed.number, [{ tests: [multiplexed.test], action }], unlisted);
    }
  }
  return outcomes;
}

/** Alternatives of one rule; one without tests always holds. */
function alternativesOf(args: readonly ArgumentTest[], action: number): Alternative[] {
  const repeated = new Set(args.map(({ index }) => index)).size < args.length;
  return repeated ? args.map((test) => ({ tests: [test], action })) : [{ tests: args, action }];
}

function add(outcomes: Map<number, Outcome>, number: number, alternatives: Alternative[], unlisted: number): void {
  const known = outcomes.get(number);
  if (known !== undefined && known.alternatives.length === 0) return;
  const always = alternatives.find(({ tests }) => tests.length === 0);
  outcomes.set(
    number,
    always === undefined
      ? { alternatives: [...(known?.alternatives ?? []), ...alternatives], otherwise: unlisted }
      : { alternatives: [], otherwise: always.action },
  );
}
