import { named, type Ref, Slot } from "../kernel/block.ts";
import type { DeviceRule } from "../kernel/bpf/device-rules.ts";
import { deviceProgram } from "../kernel/bpf/devices.ts";
import {
  attachFields,
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_PROG_ATTACH,
  BPF_PROG_LOAD,
  bpfLicense,
  progAttach,
  progLoad,
} from "../kernel/bpf/syscall.ts";
import type { Program } from "../kernel/program.ts";

/**
 * Steps that load the eBPF program for `rules` and attach it to the v2 cgroup behind descriptor `cgroup`. It stays
 * until the cgroup is removed. A program that the container adds below ours can only take away (BPF_F_ALLOW_MULTI).
 */
export function attachDeviceProgram(p: Program, cgroup: Slot, rules: readonly DeviceRule[]): void {
  const loaded = loadProgram(p, rules);
  // The two descriptors are results of earlier steps, and a step stores 64 bits: from the front to the back, each
  // overwrites the zeros that the one before it has left in the next field.
  const attribute = p.bytes(progAttach(BPF_F_ALLOW_MULTI), "{ device program, cgroup }");
  const rest = p.words([BigInt(BPF_CGROUP_DEVICE) | (BigInt(BPF_F_ALLOW_MULTI) << 32n)], "type and flags");
  p.copy(cgroup, attribute.at(attachFields.cgroup), "for the container's cgroup:");
  p.copy(loaded, attribute.at(attachFields.program), "the device program,");
  p.copy(new Slot(rest), attribute.at(attachFields.type), "attached as such");
  p.call("bpf", [named(BPF_PROG_ATTACH, "BPF_PROG_ATTACH"), attribute, 20], {
    note: "let it judge the use of devices",
  });
  p.call("close", [loaded], { note: "the cgroup holds the device program now" });
}

function loadProgram(p: Program, rules: readonly DeviceRule[]): Slot {
  const instructions = deviceProgram(rules);
  const { bytes, pointers } = progLoad({ instructions: instructions.length / 8, name: "sampan_devices", logSize: 0 });
  const attribute = p.bytes(bytes, `{ cgroup device program, ${instructions.length / 8} instructions }`);
  const at = (offset: number): Ref => attribute.at(offset);
  p.block.point(at(pointers.instructions), p.bytes(instructions, "<device program>"));
  p.block.point(at(pointers.license), p.text(bpfLicense));
  return p.sys("bpf", [named(BPF_PROG_LOAD, "BPF_PROG_LOAD"), attribute, bytes.length], {
    note: "load the program that knows the allowed devices",
  });
}
