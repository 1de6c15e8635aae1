import { realpathSync, statSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import { defaultDevices } from "../../kernel/devices.ts";
import { mountOf } from "../../kernel/mount-points.ts";
import type { BundleContainer, BundleMount, BundleNamespaces } from "../../runtime/bundle/types.ts";
import { namespaceOfSysctl } from "../../runtime/sysctls.ts";
import { deviceNumber } from "../../runtime/system-mounts.ts";
import type { DeviceNode, Propagation } from "../../runtime/types.ts";
import { type Bundle, rootOf } from "../config/bundle.ts";
import type { OciLinux } from "../config/linux.ts";
import { linuxShape } from "../config/linux.ts";
import { innerHooksOf } from "./hooks.ts";
import { mountLabelOf } from "./labels.ts";
import { containerMappingsOf } from "./mappings.ts";
import { mountsOf } from "./mounts.ts";
import { mountNamespaceOf, namespacesOf, timeOffsetsOf } from "./namespaces.ts";
import { processOf } from "./process.ts";
import { resourcesOf } from "./resources.ts";
import { listenerOf } from "./seccomp.ts";

export interface TranslationOptions {
  readonly id: string;
  readonly newKeyring: boolean;
  readonly pivot: boolean;
  /** Where systemd has placed it; config.json says otherwise. */
  readonly cgroupPath?: string | undefined;
}

/** Where containers are placed that say nothing of it. */
export const cgroupParent = "/sampan-runtime";

/** A bundle as what `createProgram` takes. Throws `invalid` or `unsupported` by the name of the field of config.json. */
export function containerOf(bundle: Bundle, options: TranslationOptions): BundleContainer {
  const { config } = bundle;
  const { process } = config;
  if (process === undefined) throw new SampanError("invalid", "Cannot create a container: config.json has no process");
  const linux = config.linux ?? linuxShape({}, "linux");
  const namespaces = namespacesOf(linux);
  const mountNamespace = mountNamespaceOf(linux, namespaces);
  checkNames(config, namespaces);
  return {
    id: options.id,
    process: {
      ...processOf(process, linux),
      ...listenerOf(linux.seccomp, hookedContainer(bundle, options.id), "creating"),
    },
    root: placedRoot(bundle, linux),
    hostname: config.hostname,
    domainname: config.domainname,
    namespaces,
    ...(mountNamespace !== undefined && { mountNamespace }),
    mappings: containerMappingsOf(linux, namespaces),
    timeOffsets: timeOffsetsOf(linux, namespaces),
    mounts: labelled(mountsOf(config.mounts, bundle.directory, namespaces.user), mountLabelOf(linux.mountLabel)),
    devices: devicesOf(linux, namespaces),
    ownDev: !config.mounts.some(isDevOfMachine),
    maskedPaths: linux.maskedPaths,
    readonlyPaths: linux.readonlyPaths,
    sysctls: sysctlsOf(linux, namespaces),
    cgroupPath: options.cgroupPath ?? cgroupPathOf(linux, options.id),
    resources: linux.resources === undefined ? {} : resourcesOf(linux.resources),
    hooks: innerHooksOf(config, hookedContainer(bundle, options.id)),
    newKeyring: options.newKeyring,
    pivot: options.pivot,
  };
}

/** Only these file systems have no labels of their own to give (mount(8), "context"). */
const withoutLabel: readonly string[] = ["proc", "sysfs", "mqueue"];

function labelled(mounts: readonly BundleMount[], label: string | undefined): readonly BundleMount[] {
  if (label === undefined) return mounts;
  return mounts.map((mount) =>
    mount.kind !== "file-system" || withoutLabel.includes(mount.type)
      ? mount
      : { ...mount, options: [...mount.options, ["context", label] as const] },
  );
}

/** What hooks are told of a container of this bundle. */
export function hookedContainer({ config, directory }: Bundle, id: string) {
  return { ociVersion: config.ociVersion, id, bundle: directory, annotations: config.annotations };
}

/** Where the container belongs in the cgroup hierarchies; a relative path is below a directory of this runtime. */
export function cgroupPathOf({ cgroupsPath }: Pick<OciLinux, "cgroupsPath">, id: string): string {
  if (!cgroupsPath) return `${cgroupParent}/${id}`;
  const parts = cgroupsPath.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || parts.length === 0)
    throw new SampanError("invalid", `linux.cgroupsPath: ${cgroupsPath} is not a path below the root of the hierarchy`);
  const path = `/${parts.join("/")}`;
  return cgroupsPath.startsWith("/") ? path : `${cgroupParent}${path}`;
}

function placedRoot(bundle: Bundle, linux: OciLinux): BundleContainer["root"] {
  const directory = rootOf(bundle);
  const propagation = propagationOf(linux);
  const shared = propagation === "shared" || propagation === "rshared";
  const readOnly = bundle.config.root?.readonly ?? false;
  return { directory, readOnly, propagation, ...(shared && { sharedWithin: mountOf(realpathSync(directory)).point }) };
}

function propagationOf({ rootfsPropagation }: OciLinux): Propagation {
  return rootfsPropagation || "rslave";
}

function checkNames(config: { hostname: string; domainname: string }, namespaces: BundleNamespaces): void {
  if (namespaces.uts !== "host") return;
  for (const name of ["hostname", "domainname"] as const) {
    if (config[name] === "") continue;
    throw new SampanError("invalid", `${name}: it cannot be set without a UTS namespace`);
  }
}

function isDevOfMachine({ destination, type, options }: Bundle["config"]["mounts"][number]): boolean {
  const bind = type === "bind" || options.includes("bind") || options.includes("rbind");
  return bind && destination.replace(/\/+$/, "") === "/dev";
}

/** The default devices, and those that are listed: a path that is in both is the listed one's. */
function devicesOf({ devices }: OciLinux, { user }: BundleNamespaces): DeviceNode[] {
  const listed = devices.map(
    ({ path, type, major, minor, fileMode, uid, gid }): DeviceNode => ({
      path,
      type: type === "u" ? "c" : type,
      major,
      minor,
      mode: (fileMode ?? 0o666) & 0o7777,
      uid: uid ?? 0,
      gid: gid ?? 0,
    }),
  );
  if (user !== "host") for (const [index, device] of listed.entries()) requireOnMachine(device, index);
  const paths = new Set(listed.map(({ path }) => path));
  return [...defaultDevices.filter(({ path }) => !paths.has(path)), ...listed];
}

/** In a user namespace the machine's own node is mounted: it must be there, and the same device. */
function requireOnMachine({ path, type, major, minor }: DeviceNode, index: number): void {
  if (type === "p") return;
  const status = statSync(path, { throwIfNoEntry: false });
  const isOfType = type === "c" ? status?.isCharacterDevice() : status?.isBlockDevice();
  if (status !== undefined && isOfType && status.rdev === deviceNumber(major, minor)) return;
  const why = `a user namespace has only devices of the machine, where ${path} is not ${type} ${major}:${minor}`;
  throw new SampanError("unsupported", `linux.devices[${index}]: ${why}`);
}

function sysctlsOf({ sysctl }: OciLinux, namespaces: BundleNamespaces): Readonly<Record<string, string>> {
  for (const name of Object.keys(sysctl)) {
    const namespace = namespaceOfSysctl(name.replaceAll("/", "."));
    const field = `linux.sysctl.${name}`;
    if (namespace === undefined)
      throw new SampanError("invalid", `${field}: it is not in a separate kernel namespace, but the whole machine's`);
    if (namespaces[namespace] === "host")
      throw new SampanError(
        "invalid",
        `${field}: it is the machine's, for the container has no ${namespace} namespace`,
      );
  }
  return sysctl;
}
