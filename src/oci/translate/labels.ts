import { existsSync, readFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { Label } from "../../runtime/bundle/labels.ts";
import type { OciProcess } from "../config/process.ts";

/** Which security modules with labels this machine's kernel runs; tests give their own. */
export interface Modules {
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** AppArmor has a directory of its own in /proc/self/attr (Linux 5.8), which it shares with no other module. */
  readonly ownDirectory: boolean;
}

export function modulesOfMachine(): Modules {
  const enabled = "/sys/module/apparmor/parameters/enabled";
  return {
    apparmor: existsSync(enabled) && readFileSync(enabled, "latin1").startsWith("Y"),
    selinux: existsSync("/sys/fs/selinux/enforce"),
    ownDirectory: existsSync("/proc/self/attr/apparmor/exec"),
  };
}

type Labelled = Pick<OciProcess, "apparmorProfile" | "selinuxLabel">;

/** `process.apparmorProfile` and `process.selinuxLabel`. `unsupported` where the kernel has no such module: nothing would confine the process. */
export function labelsOf({ apparmorProfile, selinuxLabel }: Labelled, modules = modulesOfMachine): readonly Label[] {
  if (!apparmorProfile && !selinuxLabel) return [];
  const { apparmor, selinux, ownDirectory } = modules();
  const labels: Label[] = [];
  if (apparmorProfile) {
    if (!apparmor) throw absent("process.apparmorProfile", "AppArmor", "boot with lsm=…,apparmor");
    const note = `be confined by the AppArmor profile ${apparmorProfile}, which must be loaded`;
    labels.push({ file: ownDirectory ? "apparmor/exec" : "exec", text: `exec ${apparmorProfile}`, note });
  }
  if (selinuxLabel) {
    if (!selinux) throw absent("process.selinuxLabel", "SELinux", "boot with lsm=…,selinux and load a policy");
    labels.push({ file: "exec", text: selinuxLabel, note: `have the SELinux label ${selinuxLabel}` });
  }
  return labels;
}

/** `linux.mountLabel`: the label of all files of new file systems. */
export function mountLabelOf(label: string | undefined, modules = modulesOfMachine): string | undefined {
  if (!label) return undefined;
  if (modules().selinux) return label;
  throw absent("linux.mountLabel", "SELinux", "boot with lsm=…,selinux and load a policy");
}

function absent(field: string, module: string, remedy: string): SampanError {
  return new SampanError(
    "unsupported",
    `${field} is not supported here: this machine runs without ${module}; ${remedy}`,
  );
}
