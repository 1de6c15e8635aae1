import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DeviceRule } from "../../cgroups/types.ts";
import { SampanError } from "../../errors/index.ts";
import { defaultDeviceRules, defaultDevices, everyDevice } from "../../kernel/devices.ts";
import type { DeviceNode } from "../../runtime/types.ts";
import type { DeviceMapping, HostConfig } from "../config.ts";
import { deviceNumber } from "./device-number.ts";

/** The nodes that are made in a container and the rules of its device cgroup. */
export interface Devices {
  readonly nodes: readonly DeviceNode[];
  readonly rules: readonly DeviceRule[];
}

/** Resolves `--device`, `--device-cgroup-rule` and `--privileged` on this machine, now. */
export function resolveDevices(host: Pick<HostConfig, "Devices" | "DeviceCgroupRules" | "Privileged">): Devices {
  if (host.Privileged) return { nodes: [...defaultDevices, ...machineDevices("/dev")], rules: everyDevice };
  const mapped = (host.Devices ?? []).flatMap(mapDevice);
  const asked = (host.DeviceCgroupRules ?? []).map(parseDeviceRule);
  return {
    nodes: [...defaultDevices, ...mapped.map(({ node }) => node)],
    rules: [...defaultDeviceRules, ...mapped.map(({ rule }) => rule), ...asked],
  };
}

interface Mapped {
  readonly node: DeviceNode;
  readonly rule: DeviceRule;
}

function mapDevice({ PathOnHost: source, PathInContainer, CgroupPermissions }: DeviceMapping): Mapped[] {
  const access = CgroupPermissions || "rwm";
  if (!/^[rwm]{1,3}$/.test(access)) throw new SampanError("invalid", `invalid device mode: ${access}`);
  const target = PathInContainer || source;
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new SampanError(
      "invalid",
      `error gathering device information while adding custom device "${source}": no such file or directory`,
    );
  }
  if (stat.isDirectory()) {
    return readdirSync(source).flatMap((name) => {
      const node = deviceAt(join(source, name), join(target, name));
      return node === undefined ? [] : [withRule(node, access)];
    });
  }
  const node = deviceAt(source, target);
  if (node === undefined) {
    throw new SampanError(
      "invalid",
      `error gathering device information while adding custom device "${source}": not a device node`,
    );
  }
  return [withRule(node, access)];
}

function withRule(node: DeviceNode, access: string): Mapped {
  return {
    node,
    rule: { allow: true, type: node.type === "b" ? "b" : "c", major: node.major, minor: node.minor, access },
  };
}

function deviceAt(source: string, target: string): DeviceNode | undefined {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined || !(stat.isCharacterDevice() || stat.isBlockDevice())) return undefined;
  const type = stat.isBlockDevice() ? "b" : "c";
  return { path: target, type, ...deviceNumber(stat.rdev), mode: stat.mode & 0o777, uid: stat.uid, gid: stat.gid };
}

/** What a container's /dev has of its own: these are never taken from the machine. */
const own = new Set([
  "pts",
  "shm",
  "mqueue",
  "fd",
  "console",
  "ptmx",
  "null",
  "zero",
  "full",
  "random",
  "urandom",
  "tty",
]);

/** Every device node of the machine, for `--privileged`. */
function machineDevices(directory: string): DeviceNode[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (directory === "/dev" && own.has(entry.name)) return [];
    if (entry.isDirectory()) return machineDevices(path);
    const node = entry.isCharacterDevice() || entry.isBlockDevice() ? deviceAt(path, path) : undefined;
    return node === undefined ? [] : [node];
  });
}

/** "c 1:3 rwm", "a *:* r" (Documentation/admin-guide/cgroup-v1/devices.rst). */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new SampanError("invalid", `invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access = ""] = match;
  return {
    allow: true,
    type: type as DeviceRule["type"],
    ...(major !== "*" && { major: Number(major) }),
    ...(minor !== "*" && { minor: Number(minor) }),
    access,
  };
}
