import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultDeviceRules, everyDevice } from "../devices.ts";
import { type DeviceRule, deviceText, reduceDeviceRules } from "./device-rules.ts";
import { deviceAccesses, deviceInstructions, deviceProgram, deviceTypes } from "./devices.ts";
import { EbpfAssembler, type EbpfInstruction, EbpfLabel, ebpfCodes } from "./ebpf.ts";
import { attachFields, BPF_F_ALLOW_MULTI, progAttach, progLoad, progQuery, queryFields } from "./syscall.ts";

interface Access {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly access: string;
}

/** Runs a device program as the kernel does: r1 points to the context, the result is r0. */
function run(program: readonly EbpfInstruction[], { type, major, minor, access }: Access): number {
  const bits = [...access].reduce((sum, letter) => sum | (deviceAccesses[letter] ?? 0), 0);
  const context = [(bits << 16) | deviceTypes[type], major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    assert.ok(instruction);
    const { code, dst, src, offset, immediate } = instruction;
    const [d = 0, s = 0] = [registers[dst], registers[src]];
    if (code === ebpfCodes.exit) return registers[0] ?? 0;
    if (code === ebpfCodes.loadWord) registers[dst] = context[offset / 4] ?? 0;
    else if (code === ebpfCodes.andImmediate) registers[dst] = (d & immediate) >>> 0;
    else if (code === ebpfCodes.shiftRightImmediate) registers[dst] = d >>> immediate;
    else if (code === ebpfCodes.moveImmediate) registers[dst] = immediate >>> 0;
    else if (code === ebpfCodes.moveRegister) registers[dst] = s;
    else if (code === ebpfCodes.jumpIfEqual) at += d === immediate >>> 0 ? offset : 0;
    else if (code === ebpfCodes.jumpIfNotEqual) at += d !== immediate >>> 0 ? offset : 0;
    else if (code === ebpfCodes.jumpIfNotEqualRegister) at += d !== s ? offset : 0;
    else assert.fail(`unknown code ${code}`);
  }
  assert.fail("ran off the end");
}

function allows(rules: readonly DeviceRule[], text: string): boolean {
  const [, type, major, minor, access = ""] = /^([bc]) (\d+):(\d+) (\w+)$/.exec(text) ?? [];
  const program = deviceInstructions(reduceDeviceRules(rules));
  return run(program, { type: type === "b" ? "b" : "c", major: Number(major), minor: Number(minor), access }) === 1;
}

const deny = { allow: false, type: "a", access: "rwm" } as const;
const c = (allow: boolean, access: string, major?: number, minor?: number): DeviceRule => ({
  ...{ allow, type: "c", access },
  ...(major !== undefined && { major }),
  ...(minor !== undefined && { minor }),
});

test("the default lets a container use its terminals and memory devices, and make any node", () => {
  for (const text of ["c 1:3 rw", "c 1:9 r", "c 5:0 rw", "c 5:2 rw", "c 136:7 rw", "c 10:229 m", "b 8:0 m"]) {
    assert.ok(allows(defaultDeviceRules, text), text);
  }
  for (const text of ["b 8:0 r", "c 10:229 rw", "c 1:1 r", "c 1:11 w", "b 1:3 rw", "c 5:3 r", "b 8:0 rm"]) {
    assert.ok(!allows(defaultDeviceRules, text), text);
  }
  assert.ok(allows(everyDevice, "b 8:0 rwm"));
  assert.ok(!allows([], "c 1:3 r"), "no rules allow nothing");
});

test("an exception that allows must cover the whole access", () => {
  const rules = [deny, c(true, "r", 10, 229)];
  assert.ok(allows(rules, "c 10:229 r"));
  assert.ok(!allows(rules, "c 10:229 rw"));
  assert.ok(allows([...rules, c(true, "w", 10, 229)], "c 10:229 rw"), "the same device's accesses add up");
});

test("an exception that denies strikes on any part of the access", () => {
  const rules = [...everyDevice, c(false, "w", 10, 229)];
  assert.ok(allows(rules, "c 10:229 r"));
  assert.ok(!allows(rules, "c 10:229 rw"));
  assert.ok(allows(rules, "b 10:229 rw"));
});

test('later rules take earlier ones back, and "a" starts over', () => {
  const tape = c(true, "rwm", 9, 0);
  assert.deepEqual(reduceDeviceRules([deny, tape, c(false, "m", 9, 0)]).exceptions.map(deviceText), ["c 9:0 rw"]);
  assert.deepEqual(reduceDeviceRules([tape, c(false, "rwm", 9, 0)]), { allowByDefault: false, exceptions: [] });
  assert.deepEqual(reduceDeviceRules([tape, ...everyDevice]), { allowByDefault: true, exceptions: [] });
  assert.deepEqual(reduceDeviceRules([tape, c(false, "rwm", 9, 1)]).exceptions.map(deviceText), ["c 9:0 rwm"]);
  assert.deepEqual(reduceDeviceRules([c(true, "mw", 9), c(true, "r", undefined, 3)]).exceptions.map(deviceText), [
    "c 9:* wm",
    "c *:3 r",
  ]);
});

test("a hole in a wildcard, a bad access and a bad number are refused", () => {
  const invalid = (text: RegExp) => ({ kind: "invalid", message: text });
  const hole = [deny, c(true, "rw", 9), c(false, "w", 9, 1)];
  assert.throws(() => reduceDeviceRules(hole), invalid(/"c 9:1 w": it would cut a hole into "c 9:\* rw"/));
  assert.doesNotThrow(() => reduceDeviceRules([deny, c(true, "rw", 9), c(false, "m", 9, 1)]));
  assert.throws(() => reduceDeviceRules([c(true, "rx", 1)]), invalid(/access "rx"/));
  assert.throws(() => reduceDeviceRules([c(true, "", 1)]), invalid(/access ""/));
  assert.throws(() => reduceDeviceRules([c(true, "r", -1)]), invalid(/number -1/));
});

test("major numbers above 2^31 survive the signed immediate", () => {
  assert.ok(allows([deny, c(true, "r", 0xfffffffe)], "c 4294967294:1 r"));
});

test("instructions are encoded as struct bpf_insn", () => {
  const program = Buffer.from(deviceProgram([]));
  assert.equal(program.subarray(0, 8).toString("hex"), "6113000000000000", "r3 = *(u32 *)(r1 + 0)");
  assert.equal(program.subarray(-16).toString("hex"), "b4000000000000009500000000000000", "w0 = 0; exit");
  const stray = new EbpfAssembler();
  stray.jumpIfEqual(1, 0, new EbpfLabel());
  assert.throws(() => stray.assemble(), { kind: "internal" });
});

test("bpf(2)'s arguments have the kernel's layout", () => {
  const load = progLoad({ instructions: 9, name: "sampan-devices-of-3f", logSize: 4096 });
  const bytes = Buffer.from(load.bytes);
  assert.deepEqual(
    [0, 4, 24, 28, 68].map((at) => bytes.readUInt32LE(at)),
    [15, 9, 1, 4096, 6],
  );
  assert.equal(bytes.toString("latin1", 48, 64), "sampan_devices_\0");
  assert.deepEqual(load.pointers, { instructions: 8, license: 16, log: 32 });
  const attach = Buffer.from(progAttach(BPF_F_ALLOW_MULTI));
  assert.equal(attach.readUInt32LE(attachFields.type), 6);
  assert.equal(attach.readUInt32LE(attachFields.flags), 2);
  assert.equal(Buffer.from(progQuery(4).bytes).readUInt32LE(queryFields.count), 4);
});
