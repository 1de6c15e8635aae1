import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import { attach, copyTree, newMount, setAttributes } from "./mounting.ts";
import type { ContainerSpec, DeviceNode } from "./types.ts";
import { machineId } from "./user-namespace.ts";

const NO_EXEC = f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_NODEV | f.MOUNT_ATTR_NOEXEC;

/** Where the container's own kernel file systems are, as descriptors, for the steps that follow. */
export interface SystemMounts {
  readonly proc: Slot;
  readonly dev: Slot;
}

/** /proc of the container's own PID namespace. */
function mountProc(p: Program, inside: Inside): Slot {
  const proc = newMount(p, {
    type: "proc",
    options: [],
    attributes: NO_EXEC,
    note: "make a /proc that shows this PID namespace",
  });
  attach(p, proc, inside.directory("/proc", "find /proc"), "mount /proc");
  return proc;
}

export const deviceLinks = [
  ["/proc/self/fd", "fd"],
  ["/proc/self/fd/0", "stdin"],
  ["/proc/self/fd/1", "stdout"],
  ["/proc/self/fd/2", "stderr"],
  ["/proc/kcore", "core"],
  ["pts/ptmx", "ptmx"],
] as const;

/** An empty /dev, of whoever makes it or, as the machine knows them, of `owner`. */
export function makeDev(p: Program, owner?: { readonly uid: number; readonly gid: number }): Slot {
  return newMount(p, {
    type: "tmpfs",
    options: [
      ["mode", "755"],
      ["size", "65536k"],
      ...(owner === undefined ? [] : [["uid", String(owner.uid)] as const, ["gid", String(owner.gid)] as const]),
    ],
    attributes: f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_STRICTATIME,
    note: "make a /dev of its own",
  });
}

/** /dev: a tmpfs with the device nodes of the spec, terminals, message queues and shared memory of its own. */
function mountDev(p: Program, inside: Inside, spec: ContainerSpec, { memory, dev: made }: Prepared): Slot {
  const dev = made ?? makeDev(p);
  attach(p, dev, inside.directory("/dev", "find /dev"), "mount /dev");
  p.in("device", () => {
    if (made === undefined) for (const device of spec.devices) makeNode(p, inside, dev, device);
    for (const [target, name] of deviceLinks) {
      p.call("symlinkat", [p.text(target), dev, p.text(name)], {
        note: `link /dev/${name} to ${target}`,
        tolerate: ["EEXIST"],
      });
    }
  });
  mountBelowDev(p, dev, spec, memory);
  return dev;
}

/** The group of terminals, by old custom. */
const terminals = 5;

/** Whether a group can be in the container: with users of its own, there may be few. */
function hasGroup({ users }: ContainerSpec, gid: number): boolean {
  return users === undefined || machineId(users.mappings.groups, gid) !== undefined;
}

function mountBelowDev(p: Program, dev: Slot, spec: ContainerSpec, memory: Slot | undefined): void {
  const below = [
    {
      name: "pts",
      type: "devpts",
      options: [
        ["newinstance", true],
        ["ptmxmode", "0666"],
        ["mode", "0620"],
        ...(hasGroup(spec, terminals) ? [["gid", String(terminals)] as const] : []),
      ] as const,
      attributes: f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_NOEXEC,
      note: "make terminals of its own",
    },
    {
      name: "mqueue",
      type: "mqueue",
      options: [],
      attributes: NO_EXEC,
      note: "make the message queues of its IPC namespace visible",
    },
    {
      name: "shm",
      type: "tmpfs",
      options: [
        ["mode", "1777"],
        ["size", String(spec.shmSize)],
      ] as const,
      attributes: NO_EXEC,
      note: "make its shared memory",
    },
  ];
  for (const { name, ...mount } of below) {
    if (name === "shm" && spec.withoutSharedMemory) continue;
    const shared = name === "shm" && spec.namespaces.ipc === "host";
    p.call("mkdirat", [dev, p.text(name), 0o755], { note: `make the directory /dev/${name}` });
    const at = p.sys(
      "openat",
      [dev, p.text(name), named(f.O_PATH | f.O_NOFOLLOW | f.O_CLOEXEC, "O_PATH|O_NOFOLLOW|O_CLOEXEC"), 0],
      {
        note: `open /dev/${name}`,
      },
    );
    const tree = shared
      ? copyTree(p, {
          directory: f.AT_FDCWD,
          path: p.text("/dev/shm"),
          recursive: false,
          note: "take the machine's shared memory",
        })
      : name === "shm" && memory !== undefined
        ? memory
        : newMount(p, mount);
    attach(p, tree, at, `mount /dev/${name}`);
  }
}

const kinds = { c: f.S_IFCHR, b: f.S_IFBLK, p: f.S_IFIFO } as const;

/** A device number as mknod(2) takes it: the kernel's 32-bit encoding (new_encode_dev). */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** A node of the container's; `dev` is its /dev, where most are. */
export function makeNode(p: Program, inside: Inside, dev: Slot, device: DeviceNode): void {
  const slash = device.path.lastIndexOf("/");
  const parent = device.path.slice(0, slash);
  const directory = parent === "/dev" ? dev : inside.directory(parent, `find ${parent}`);
  const name = p.text(device.path.slice(slash + 1));
  const mode = named(kinds[device.type] | device.mode, `${device.type}|0${device.mode.toString(8)}`);
  p.call("mknodat", [directory, name, mode, deviceNumber(device.major, device.minor)], {
    note: `make ${device.path} (${device.major}:${device.minor})`,
    tolerate: ["EEXIST"],
  });
  if (device.uid === 0 && device.gid === 0) return;
  p.call("fchownat", [directory, name, device.uid, device.gid, f.AT_SYMLINK_NOFOLLOW], {
    note: `give ${device.path} its owner`,
  });
}

/** /sys, read-only unless privileged, showing this network namespace. */
function mountSys(p: Program, inside: Inside, spec: ContainerSpec): void {
  const attributes = NO_EXEC | (spec.writableSys ? 0 : f.MOUNT_ATTR_RDONLY);
  const sys = newMount(p, {
    type: "sysfs",
    options: [],
    attributes,
    note: "make a /sys that shows this network namespace",
  });
  attach(p, sys, inside.directory("/sys", "find /sys"), "mount /sys");
}

/** What is there before the kernel's file systems are. */
interface Prepared {
  /** Another container's /dev/shm, to be shared. */
  readonly memory: Slot | undefined;
  /** A /dev with the devices in it. */
  readonly dev: Slot | undefined;
}

/** /proc, /dev and /sys of a container, as Docker lays them out. */
export function mountSystem(p: Program, inside: Inside, spec: ContainerSpec, prepared: Prepared): SystemMounts {
  const proc = mountProc(p, inside);
  const dev = mountDev(p, inside, spec, prepared);
  mountSys(p, inside, spec);
  return { proc, dev };
}

/** A hierarchy to show below /sys/fs/cgroup: on v2 the only one, with no name. */
export interface CgroupView {
  readonly type: "cgroup" | "cgroup2";
  /** Directory below /sys/fs/cgroup; "" for v2. */
  readonly directory: string;
  readonly options: readonly (readonly [string, string | true])[];
  /** The container's cgroup as the machine has it mounted, for one without a cgroup namespace of its own. */
  readonly source?: string;
}

/** /sys/fs/cgroup at `at`: the container's own cgroup is the root of what it sees (needs its cgroup namespace, or `source`s). */
export function mountCgroups(
  p: Program,
  at: Slot,
  views: readonly CgroupView[],
  { writable }: { readonly writable: boolean },
): void {
  const attributes = NO_EXEC | (writable ? 0 : f.MOUNT_ATTR_RDONLY);
  const [only] = views;
  if (views.length === 1 && only?.directory === "") {
    attach(p, viewOf(p, only, attributes, "make its own cgroup visible"), at, "mount /sys/fs/cgroup");
    return;
  }
  const base = newMount(p, {
    type: "tmpfs",
    options: [["mode", "755"]],
    attributes: NO_EXEC,
    note: "make a place for the cgroup hierarchies",
  });
  attach(p, base, at, "mount /sys/fs/cgroup");
  for (const view of views) {
    p.call("mkdirat", [base, p.text(view.directory), 0o755], { note: `make the directory ${view.directory}` });
    const place = p.sys(
      "openat",
      [base, p.text(view.directory), named(f.O_PATH | f.O_CLOEXEC, "O_PATH|O_CLOEXEC"), 0],
      { note: `open ${view.directory}` },
    );
    const note = `make its own cgroup of ${view.directory} visible`;
    attach(p, viewOf(p, view, attributes, note), place, `mount ${view.directory}`);
    for (const name of view.directory.split(",")) {
      if (name === view.directory) break;
      p.call("symlinkat", [p.text(view.directory), base, p.text(name)], { note: `by the name ${name}, too` });
    }
  }
  if (!writable)
    setAttributes(p, base, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "make the place read-only" });
}

function viewOf(p: Program, view: CgroupView, attributes: number, note: string): Slot {
  if (view.source === undefined) return newMount(p, { type: view.type, options: view.options, attributes, note });
  const copy = copyTree(p, { directory: f.AT_FDCWD, path: p.text(view.source), recursive: false, note });
  setAttributes(p, copy, { set: attributes, recursive: false, note: "with no more rights than that takes" });
  return copy;
}
