import type { DeviceRule } from "./bpf/device-rules.ts";

/** A device node every container has in its /dev, and through which it may read and write. */
export interface DefaultDevice {
  readonly path: string;
  readonly type: "c";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function node(name: string, major: number, minor: number): DefaultDevice {
  return { path: `/dev/${name}`, type: "c", major, minor, mode: 0o666, uid: 0, gid: 0 };
}

/** The default devices of the OCI runtime spec; /dev/console and /dev/ptmx are made with the terminal. */
export const defaultDevices: readonly DefaultDevice[] = [
  node("null", 1, 3),
  node("zero", 1, 5),
  node("full", 1, 7),
  node("random", 1, 8),
  node("urandom", 1, 9),
  node("tty", 5, 0),
];

/** For privileged containers. */
export const everyDevice: readonly DeviceRule[] = [{ allow: true, type: "a", access: "rwm" }];

/**
 * What a container may do with devices unless it says more: make any node (opening it is another matter), and use the
 * default devices, /dev/console, /dev/ptmx and pseudo-terminals. What dockerd and runc allow together.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, type: "a", access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...defaultDevices.map(({ type, major, minor }): DeviceRule => ({ allow: true, type, major, minor, access: "rwm" })),
  { allow: true, type: "c", major: 5, minor: 1, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" },
  { allow: true, type: "c", major: 136, access: "rwm" },
];
