import { type DeviceRule, deviceText, reduceDeviceRules } from "../kernel/bpf/device-rules.ts";

const character = (major: number, minor?: number): DeviceRule => ({
  allow: true,
  type: "c",
  major,
  ...(minor !== undefined && { minor }),
  access: "rwm",
});

/**
 * What a Docker container may do with devices: make any node, open the harmless ones. Rules of `--device` and
 * `--device-cgroup-rule` come after them.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, type: "a", access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
  character(5, 0), // tty
  character(5, 1), // console
  character(5, 2), // ptmx
  character(136), // pts/*
];

/** --privileged */
export const allDevices: readonly DeviceRule[] = [{ allow: true, type: "a", access: "rwm" }];

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
