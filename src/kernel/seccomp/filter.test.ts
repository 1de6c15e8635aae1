import assert from "node:assert/strict";
import { test } from "node:test";
import { runClassic } from "../bpf/classic-machine.ts";
import { type CapabilityName, capabilities, defaultCapabilities } from "../capabilities.ts";
import { actionValue } from "./actions.ts";
import { type SeccompArchName, seccompArchs } from "./architectures.ts";
import { compileFilter } from "./compile.ts";
import { defaultSeccompProfile } from "./default-profile.ts";
import { limitedSeccompProfile } from "./limited-profile.ts";
import { type ArgumentTest, operators, type SeccompProfile, type SyscallRule } from "./profile.ts";
import { resolveProfile, type SeccompContext } from "./resolve.ts";

interface Call {
  readonly arch: SeccompArchName;
  readonly number: number;
  readonly args: readonly bigint[];
}

const EPERM = actionValue("SCMP_ACT_ERRNO");
const ENOSYS = actionValue("SCMP_ACT_ERRNO", 38);
const ALLOW = actionValue("SCMP_ACT_ALLOW");
const KILL = actionValue("SCMP_ACT_KILL");
const x86: SeccompContext = { arch: "x86_64", capabilities: defaultCapabilities, kernel: { major: 6, minor: 1 } };
const x86Archs = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"] as const;
const everyCapability = Object.keys(capabilities) as CapabilityName[];

function filterOf(profile: SeccompProfile, context: SeccompContext): (call: Call) => number {
  const program = compileFilter(resolveProfile(profile, context));
  const data = new DataView(new ArrayBuffer(64));
  return ({ arch, number, args }) => {
    data.setUint32(0, number, true);
    data.setUint32(4, seccompArchs[arch].audit, true);
    for (let i = 0; i < 6; i++) data.setBigUint64(16 + i * 8, args[i] ?? 0n, true);
    return runClassic(program, data);
  };
}

/** The profile's meaning said the plain way, to hold the compiled filter against. */
function meaningOf(profile: SeccompProfile, context: SeccompContext, name: SeccompArchName): (call: Call) => number {
  const { syscalls, narrow } = seccompArchs[name];
  const table: Readonly<Record<string, number>> = syscalls;
  const fallback = actionValue(profile.defaultAction, profile.defaultErrno);
  const strict = ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_TRAP"].includes(profile.defaultAction);
  const about = new Map<number, SyscallRule[]>();
  for (const rule of profile.syscalls.filter((rule) => isPresent(rule, context))) {
    for (const number of rule.names.map((syscall) => table[syscall] ?? -1)) {
      about.set(number, [...(about.get(number) ?? []), rule]);
    }
  }
  const newest = Math.max(...[...about.keys()].filter((number) => number >>> 16 !== 15));
  return ({ number, args }) => {
    const counting = about.get(number)?.filter((rule) => actionValue(rule.action, rule.errno) !== fallback) ?? [];
    const plain = counting.find((rule) => rule.args.length === 0);
    const rule = plain ?? counting.find((candidate) => argumentsHold(candidate.args, args, narrow));
    if (rule !== undefined) return actionValue(rule.action, rule.errno);
    return strict && number > newest ? ENOSYS : fallback;
  };
}

function isPresent({ includes, excludes }: SyscallRule, { arch, capabilities: held, kernel }: SeccompContext): boolean {
  const host = arch === "x86_64" ? "amd64" : "arm64";
  const new_ = (v: typeof includes.minKernel) => v && kernel.major * 1000 + kernel.minor >= v.major * 1000 + v.minor;
  const has = (cap: string) => held.some((name) => name === cap);
  if (excludes.arches.includes(host) || excludes.caps.some(has) || new_(excludes.minKernel)) return false;
  if (includes.arches.length > 0 && !includes.arches.includes(host)) return false;
  return includes.caps.every(has) && (includes.minKernel === undefined || new_(includes.minKernel) === true);
}

function argumentsHold(tests: readonly ArgumentTest[], args: readonly bigint[], narrowArch: boolean): boolean {
  const holds = ({ index, op, value, valueTwo, narrow }: ArgumentTest) => {
    const cut = (x: bigint) => (narrowArch || narrow ? x & 0xffffffffn : x);
    const [a, v, mask] = [cut(args[index] ?? 0n), cut(value), cut(value)];
    if (op === "SCMP_CMP_EQ") return a === v;
    if (op === "SCMP_CMP_NE") return a !== v;
    if (op === "SCMP_CMP_LT") return a < v;
    if (op === "SCMP_CMP_LE") return a <= v;
    if (op === "SCMP_CMP_GT") return a > v;
    if (op === "SCMP_CMP_GE") return a >= v;
    return (a & mask) === (valueTwo & mask);
  };
  const twice = new Set(tests.map(({ index }) => index)).size < tests.length;
  return twice ? tests.some(holds) : tests.every(holds);
}

const numbersOf = (arch: SeccompArchName) => {
  const base = arch === "SCMP_ARCH_X32" ? 0x40000000 : 0;
  return [...Array(620).keys()]
    .map((n) => base + n)
    .concat(arch === "SCMP_ARCH_ARM" ? [0xf0001, 0xf0006] : [], 0xffffffff);
};
const probes: readonly (readonly bigint[])[] = [
  ...[0n, 1n, 2n, 8n, 16n, 37n, 38n, 39n, 40n, 41n, 0x20008n, 0xffffffffn, 0x1_0000_0026n, 0x1_0000_0028n].map((x) => [
    x,
  ]),
  ...[0x20000n, 0x10000000n, 0x7e020000n, 0x11n, 0x3d0f00n, 0xffffffffffffffffn].map((x) => [x, x, x, x, x, x]),
];

/** Calls whose outcome depends on arguments; the others need one probe. */
const argumentSensitive = new Set(["socket", "personality", "clone"]);

function assertEquivalent(profile: SeccompProfile, context: SeccompContext, archs: readonly SeccompArchName[]): void {
  const run = filterOf(profile, context);
  for (const arch of archs) {
    const table: Readonly<Record<string, number>> = seccompArchs[arch].syscalls;
    const sensitive = new Set([...argumentSensitive].map((name) => table[name]));
    const meaning = meaningOf(profile, context, arch);
    for (const number of numbersOf(arch)) {
      for (const args of sensitive.has(number) ? probes : probes.slice(0, 1)) {
        assertSame({ arch, number, args }, run, meaning);
      }
    }
  }
}

function assertSame(call: Call, run: (call: Call) => number, meaning: (call: Call) => number): void {
  const [actual, expected] = [run(call), meaning(call)];
  if (actual === expected) return;
  const what = `${call.arch} ${call.number}(${call.args.join(", ")})`;
  assert.fail(`${what}: the filter returns ${actual.toString(16)}, the profile says ${expected.toString(16)}`);
}

test("the default filter does what the default profile says, for every call, with and without each capability", () => {
  const sets = [
    [],
    everyCapability,
    defaultCapabilities,
    ...everyCapability.map((cap) => [...defaultCapabilities, cap]),
  ];
  for (const held of sets) {
    assertEquivalent(defaultSeccompProfile, { ...x86, capabilities: held }, x86Archs);
    const arm: SeccompContext = { ...x86, arch: "aarch64", capabilities: held };
    assertEquivalent(defaultSeccompProfile, arm, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  }
  assertEquivalent(defaultSeccompProfile, { ...x86, kernel: { major: 4, minor: 7 } }, x86Archs);
});

test("the default filter in words", () => {
  const run = filterOf(defaultSeccompProfile, x86);
  const { syscalls } = seccompArchs.SCMP_ARCH_X86_64;
  const call = (name: keyof typeof syscalls, ...args: bigint[]) =>
    run({ arch: "SCMP_ARCH_X86_64", number: syscalls[name], args });
  assert.equal(call("read"), ALLOW);
  assert.equal(call("mount"), EPERM);
  assert.equal(call("io_uring_setup"), EPERM);
  assert.equal(call("keyctl"), EPERM);
  assert.equal(call("ptrace"), ALLOW);
  assert.equal(call("clone", 0x1200011n), ALLOW, "fork of glibc");
  assert.equal(call("clone", 0x10000000n), EPERM, "new user namespace");
  assert.equal(call("clone3"), ENOSYS);
  assert.equal(call("socket", 2n), ALLOW);
  assert.equal(call("socket", 38n), EPERM, "AF_ALG");
  assert.equal(call("socket", 40n), EPERM, "AF_VSOCK");
  assert.equal(call("socket", 0x1_0000_0028n), EPERM, "AF_VSOCK behind rubbish that the kernel cuts off");
  assert.equal(call("personality", 0x40000n), EPERM, "ADDR_NO_RANDOMIZE");
  assert.equal(call("chroot"), ALLOW);
  assert.equal(run({ arch: "SCMP_ARCH_X86_64", number: 999, args: [] }), ENOSYS, "a call of the future");
  assert.equal(run({ arch: "SCMP_ARCH_X86_64", number: 0xffffffff, args: [] }), ENOSYS);
  assert.equal(run({ arch: "SCMP_ARCH_AARCH64", number: 63, args: [] }), KILL, "a foreign architecture");
});

test("the filter of a container with a limited layer differs in what would take a file out of its project", () => {
  const run = filterOf(limitedSeccompProfile, x86);
  const usual = filterOf(defaultSeccompProfile, x86);
  const unsupported = actionValue("SCMP_ACT_ERRNO", 95);
  for (const arch of x86Archs) {
    const number = seccompArchs[arch].syscalls.ioctl;
    const ioctl = (command: bigint) => run({ arch, number, args: [3n, command] });
    for (const command of [0x401c5820n, 0x40086602n, 0x40046602n]) assert.equal(ioctl(command), unsupported);
    assert.equal(ioctl(0x1_401c_5820n), unsupported, "behind rubbish that the kernel cuts off");
    for (const command of [0x5401n, 0x801c581fn, 0x80086601n, 0n]) assert.equal(ioctl(command), ALLOW);
    for (let other = 0; other < 600; other++) {
      if (other !== number)
        assert.equal(run({ arch, number: other, args: [] }), usual({ arch, number: other, args: [] }));
    }
  }
});

test("where a profile leaves x32 and 32-bit x86 out, their calls kill", () => {
  const run = filterOf({ ...defaultSeccompProfile, archMap: [] }, x86);
  assert.equal(run({ arch: "SCMP_ARCH_X86_64", number: 0, args: [] }), ALLOW);
  assert.equal(run({ arch: "SCMP_ARCH_X32", number: 0x40000000, args: [] }), KILL);
  assert.equal(run({ arch: "SCMP_ARCH_X86", number: 3, args: [] }), KILL);
  assert.equal(run({ arch: "SCMP_ARCH_X86_64", number: 0xffffffff, args: [] }), EPERM, "a tracer's skipped call");
});

test("a rule about a socket call reaches socketcall on 32-bit x86, whatever its arguments", () => {
  const [socketRule] = defaultSeccompProfile.syscalls.filter(({ names }) => names[0] === "socket");
  assert.ok(socketRule);
  const run = filterOf({ ...defaultSeccompProfile, syscalls: [socketRule] }, x86);
  assert.equal(run({ arch: "SCMP_ARCH_X86", number: 102, args: [1n] }), ALLOW);
  assert.equal(run({ arch: "SCMP_ARCH_X86", number: 102, args: [2n] }), EPERM);
  assert.equal(run({ arch: "SCMP_ARCH_X86", number: 359, args: [40n] }), EPERM);
});

/** A small generator that is the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

test("random profiles mean the same compiled as spelled out", () => {
  const always = { caps: [], arches: [], minKernel: undefined };
  const names = Object.keys(seccompArchs.SCMP_ARCH_X86_64.syscalls).filter((name) => /^(m|p|u|w|x|y|z)/.test(name));
  const values = [0n, 1n, 5n, 0xffffffffn, 0x1_0000_0000n, 0x1_0000_0005n, 0x8000_0000n, 0xffff_ffff_ffff_ffffn];
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    const rules: SyscallRule[] = Array.from({ length: 1 + random(40) }, () => ({
      names: Array.from({ length: 1 + random(5) }, () => pick(names)),
      action: pick(["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_TRAP", "SCMP_ACT_LOG"] as const),
      errno: random(40),
      args: Array.from({ length: random(3) }, () => ({
        ...{ index: random(6), op: pick(operators), value: pick(values), valueTwo: pick(values) },
      })),
      ...{ includes: always, excludes: always },
    }));
    const defaultAction = pick(["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL"] as const);
    const profile = { ...defaultSeccompProfile, defaultAction, defaultErrno: 1, syscalls: rules };
    const run = filterOf(profile, x86);
    for (const arch of ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"] as const) {
      const table: Readonly<Record<string, number>> = seccompArchs[arch].syscalls;
      const meaning = meaningOf(profile, x86, arch);
      for (const name of new Set(rules.flatMap((rule) => rule.names))) {
        for (let round = 0; round < 12; round++) {
          const args = Array.from({ length: 6 }, () => pick(values));
          assertSame({ arch, number: table[name] ?? 0, args }, run, meaning);
        }
      }
    }
  }
});

test("a profile too large for a filter is refused", () => {
  const [model] = defaultSeccompProfile.syscalls;
  assert.ok(model);
  const syscalls = Array.from({ length: 3000 }, (_, value): SyscallRule => {
    const args: ArgumentTest[] = [{ index: 0, op: "SCMP_CMP_EQ", value: BigInt(value), valueTwo: 0n }];
    return { ...model, names: ["personality"], args };
  });
  assert.throws(() => filterOf({ ...defaultSeccompProfile, syscalls }, x86), { kind: "invalid" });
});
