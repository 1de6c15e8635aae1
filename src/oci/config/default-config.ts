import { defaultMaskedPaths, defaultReadonlyPaths } from "../../runtime/system-paths.ts";
import { specVersion } from "./version.ts";

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const safe = ["nosuid", "noexec", "nodev"];

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options?: readonly string[];
}

function mount(destination: string, type: string, options: readonly string[] = [], source = type): Mount {
  return { destination, type, source, ...(options.length > 0 && { options }) };
}

/** What `spec` writes: a shell with few rights on a read-only root, as runc's. */
export function defaultConfig() {
  return {
    ociVersion: specVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "sampan",
    mounts: [
      mount("/proc", "proc"),
      mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
      mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
      mount("/dev/shm", "tmpfs", [...safe, "mode=1777", "size=65536k"], "shm"),
      mount("/dev/mqueue", "mqueue", safe),
      mount("/sys", "sysfs", [...safe, "ro"]),
      mount("/sys/fs/cgroup", "cgroup", [...safe, "relatime", "ro"]),
    ],
    linux: {
      resources: { devices: [{ allow: false, access: "rwm" }] },
      namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
      maskedPaths: defaultMaskedPaths,
      readonlyPaths: defaultReadonlyPaths,
    },
  };
}

/**
 * What `spec --rootless` writes: the same for a user other than root, who is the only one in it. As runc's, it has the machine's
 * network and its /sys, and no limits.
 */
export function rootlessConfig() {
  const { linux, mounts, ...config } = defaultConfig();
  const { resources: _, namespaces, ...rest } = linux;
  const own = [...namespaces.filter(({ type }) => type !== "network"), { type: "user" }];
  const me = (hostID: number | undefined) => [{ containerID: 0, hostID: hostID ?? 0, size: 1 }];
  return {
    ...config,
    mounts: mounts.flatMap((one) => rootlessMount(one)),
    linux: { ...rest, uidMappings: me(process.geteuid?.()), gidMappings: me(process.getegid?.()), namespaces: own },
  };
}

function rootlessMount(one: Mount): Mount[] {
  if (one.type === "sysfs") return [{ ...one, type: "none", source: "/sys", options: ["rbind", ...safe, "ro"] }];
  if (one.type === "cgroup") return [];
  // There is only one group
  const options = one.options?.filter((option) => option !== "gid=5");
  return [{ ...one, ...(options && { options }) }];
}
