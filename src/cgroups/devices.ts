import { type DeviceRule, deviceText, reduceDeviceRules } from "../kernel/bpf/device-rules.ts";

/** Whether rules come to "everything is allowed", which a new cgroup says already. */
export function allowsAll(rules: readonly DeviceRule[]): boolean {
  const { allowByDefault, exceptions } = reduceDeviceRules(rules);
  return allowByDefault && exceptions.length === 0;
}

/** The writes to v1's devices.allow and devices.deny of a new cgroup: what for, file, value. */
export function deviceWrites(rules: readonly DeviceRule[]): (readonly [what: string, file: string, value: string])[] {
  const { allowByDefault, exceptions } = reduceDeviceRules(rules);
  const listed = exceptions.map((exception) => {
    const text = deviceText(exception);
    return allowByDefault
      ? ([`deny device ${text}`, "devices.deny", text] as const)
      : ([`allow device ${text}`, "devices.allow", text] as const);
  });
  return allowByDefault ? listed : [["deny every device", "devices.deny", "a"], ...listed];
}
