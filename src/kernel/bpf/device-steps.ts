import { named, Slot } from "../block.ts";
import type { Program } from "../program.ts";
import type { DeviceRule } from "./device-rules.ts";
import { deviceProgram } from "./devices.ts";
import {
  attachFields,
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_PROG_ATTACH,
  BPF_PROG_LOAD,
  bpfLicense,
  progAttach,
  progLoad,
} from "./syscall.ts";

/** BPF_F_ALLOW_MULTI: programs of parent cgroups, and of whoever manages them, keep running. */
const attachFlags = BPF_F_ALLOW_MULTI;

/**
 * Steps that load the device program of `rules` and attach it to the cgroup v2 directory open at `cgroup`. It lives as
 * long as the cgroup. Needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN. Throws `invalid` for rules no controller can
 * express.
 */
export function attachDeviceProgram(p: Program, cgroup: Slot, rules: readonly DeviceRule[]): void {
  const instructions = deviceProgram(rules);
  const load = progLoad({ instructions: instructions.length / 8, name: "sampan_devices", logSize: 0 });
  const loading = p.bytes(load.bytes, "{ BPF_PROG_TYPE_CGROUP_DEVICE }");
  p.block.point(
    loading.at(load.pointers.instructions),
    p.bytes(instructions, `<${instructions.length / 8} instructions>`),
  );
  p.block.point(loading.at(load.pointers.license), p.text(bpfLicense));
  const program = p.sys("bpf", [named(BPF_PROG_LOAD, "BPF_PROG_LOAD"), loading, load.bytes.length], {
    note: "load the program that decides which devices may be used",
  });
  const attach = progAttach(attachFlags);
  const attaching = p.bytes(attach, "{ BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI }");
  // A copy writes 64 bits where these fields have 32: in this order each mends what the one before spilt over.
  p.copy(cgroup, attaching.at(attachFields.cgroup), "hand over the cgroup");
  p.copy(program, attaching.at(attachFields.program), "hand over the program");
  const typeAndFlags = BigInt(BPF_CGROUP_DEVICE) | (BigInt(attachFlags) << 32n);
  p.copy(new Slot(p.words([typeAndFlags])), attaching.at(attachFields.type), "say what it decides about");
  p.call("bpf", [named(BPF_PROG_ATTACH, "BPF_PROG_ATTACH"), attaching, attach.length], {
    note: "attach it to the cgroup",
  });
  p.call("close", [program], { note: "the cgroup holds the program from here on" });
}
