import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { actionOf, actionValue, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW } from "./actions.ts";
import { defaultSeccompProfile, kernelVersionOf, seccompFilter } from "./index.ts";
import { parseSeccompProfile } from "./parse.ts";

const context = { arch: "x86_64", capabilities: [], kernel: { major: 6, minor: 1 } } as const;

function refusal(profile: unknown): string {
  const json = typeof profile === "string" ? profile : JSON.stringify(profile);
  try {
    parseSeccompProfile(json);
  } catch (error) {
    assert.ok(error instanceof SampanError && error.kind === "invalid", String(error));
    return error.message;
  }
  assert.fail(`accepted: ${json}`);
}

test("Docker's format is read with every field filled in", () => {
  const profile = parseSeccompProfile(`{
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "comment": "ignored",
    "archMap": [{ "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] },
                { "architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null }],
    "syscalls": [
      { "name": "read", "action": "SCMP_ACT_ALLOW" },
      { "names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 25, "args": null,
        "includes": { "minKernel": "4.8", "caps": ["CAP_KILL"] }, "excludes": {} },
      { "names": ["clone"], "action": "SCMP_ACT_ALLOW",
        "args": [{ "index": 0, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ" }] }
    ] }`);
  assert.ok(profile);
  assert.equal(profile.defaultErrno, 38);
  assert.deepEqual(profile.archMap[1], { architecture: "SCMP_ARCH_RISCV64", subArchitectures: [] });
  assert.deepEqual(profile.syscalls[0]?.names, ["read"]);
  assert.deepEqual(profile.syscalls[1]?.includes, {
    caps: ["CAP_KILL"],
    arches: [],
    minKernel: { major: 4, minor: 8 },
  });
  assert.equal(profile.syscalls[2]?.args[0]?.value, 0xffffffffffffffffn, "64 bits are exact");
  assert.equal(seccompFilter(profile, context).flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
});

test("the empty profile means no filter", () => {
  for (const json of ["{}", '{"syscalls": []}', '{"defaultAction": "", "syscalls": null}']) {
    assert.equal(parseSeccompProfile(json), undefined);
  }
});

test("what cannot be honoured is refused with the field that says it", () => {
  const base = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [] };
  const rule = { names: ["read"], action: "SCMP_ACT_ALLOW" };
  assert.match(refusal("{"), /^Decoding seccomp profile failed: /);
  assert.match(refusal("[]"), /Decoding seccomp profile failed/);
  assert.match(refusal({ ...base, defaultAction: "ALLOW" }), /defaultAction/);
  assert.match(refusal({ ...base, listenerPath: "/run/agent.sock" }), /listenerPath: .*remove listenerPath/);
  assert.match(
    refusal({ ...base, syscalls: [{ ...rule, action: "SCMP_ACT_NOTIFY" }] }),
    /syscalls.0.action: .*listener/,
  );
  assert.match(refusal({ ...base, syscalls: [{ ...rule, name: "write" }] }), /both 'name' and 'names'/);
  assert.match(
    refusal({ ...base, architectures: ["SCMP_ARCH_Z80"] }),
    /architectures.0: is not a seccomp architecture/,
  );
  assert.match(refusal({ ...base, flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] }), /flags.0/);
  const args = (arg: object) => ({ ...base, syscalls: [{ ...rule, args: [{ index: 0, op: "SCMP_CMP_EQ", ...arg }] }] });
  assert.match(refusal(args({ index: 6 })), /syscalls.0.args.0.index/);
  assert.match(refusal(args({ value: -1 })), /unsigned 64-bit/);
  assert.match(refusal(args({ op: "==" })), /syscalls.0.args.0.op/);
  assert.match(
    refusal({ ...base, syscalls: [{ ...rule, includes: { minKernel: "4.8.1" } }] }),
    /expected "<kernel>.<major>"/,
  );
  const both = { ...base, architectures: ["SCMP_ARCH_X86"], archMap: [{ architecture: "SCMP_ARCH_X86_64" }] };
  assert.match(refusal(both), /both 'architectures' and 'archMap'/);
});

test("flags are the profile's, or SPEC_ALLOW where it says nothing", () => {
  const flags = (names: string[]) => {
    const profile = parseSeccompProfile(JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", flags: names }));
    return profile === undefined ? -1 : seccompFilter(profile, context).flags;
  };
  assert.equal(flags([]), 0);
  assert.equal(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"]), SECCOMP_FILTER_FLAG_LOG);
});

test("actions carry errnos that the kernel keeps", () => {
  assert.equal(actionValue("SCMP_ACT_ERRNO", 38), 0x00050026);
  assert.equal(actionValue("SCMP_ACT_KILL_PROCESS", 38), 0x80000000);
  assert.throws(() => actionValue("SCMP_ACT_ERRNO", 4096), { kind: "invalid" });
  assert.deepEqual(actionOf(0x00050026), { name: "SCMP_ACT_ERRNO", data: 38 });
});

test("a filter is built once for the same profile, machine and capabilities", () => {
  const filter = seccompFilter(defaultSeccompProfile, { ...context, capabilities: ["CAP_KILL", "CAP_CHOWN"] });
  assert.equal(seccompFilter(defaultSeccompProfile, { ...context, capabilities: ["CAP_CHOWN", "CAP_KILL"] }), filter);
  assert.equal(filter.program.length, filter.instructions * 8);
  assert.notEqual(seccompFilter(defaultSeccompProfile, { ...context, capabilities: ["CAP_SYS_ADMIN"] }), filter);
  assert.deepEqual(kernelVersionOf("6.1.0-18-amd64"), { major: 6, minor: 1 });
  assert.deepEqual(kernelVersionOf("7.0-rc1"), { major: 7, minor: 0 });
});
