import { SampanError } from "../../errors/index.ts";
import { capabilitySets } from "../../kernel/capabilities.ts";
import type { Sandbox } from "../../network/networking.ts";
import type { ContainerSpec, ProcessSpec, ResolvedUser, RootFilesystem } from "../../runtime/types.ts";
import { variablesOfLinks } from "../networks/links.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { resolveDevices } from "../request/devices.ts";
import { environment } from "../request/environment.ts";
import { withLandlock } from "../request/landlock.ts";
import { resourcesOf } from "../request/resources.ts";
import { filterOf, grantedCapabilities, securityOptions } from "../request/security.ts";
import { layerLimit } from "../request/storage-options.ts";
import { resolveSysctls } from "../request/sysctls.ts";
import { resolveUlimits } from "../request/ulimits.ts";
import { secretMounts } from "../secrets/mounts.ts";
import type { TerminalSize } from "../types.ts";
import { usersToJoin } from "../users/take.ts";
import type { ContainerFiles } from "./files.ts";
import { namespacesOf } from "./modes.ts";
import { mountSpecs } from "./mount-specs.ts";
import { noNetworks, systemFiles } from "./system-files.ts";

/** What a container is made of, for its start. */
export interface SpecSource {
  readonly record: ContainerRecord;
  readonly files: ContainerFiles;
}

/** Resolves everything about a container for the runtime: from here on nothing is looked up or defaulted. */
export async function containerSpec(
  parts: EngineParts,
  { record, files }: SpecSource,
  { size, sandbox }: { readonly size?: TerminalSize | undefined; readonly sandbox?: Sandbox | undefined },
): Promise<ContainerSpec> {
  const { config, hostConfig: host } = record;
  const root = rootOf(parts, record, files);
  const devices = resolveDevices(host);
  const attachment = sandbox?.attachment;
  const secrets = secretMounts(parts.secrets, host);
  const users = usersToJoin(parts, record);
  const user = await parts.runtime.resolveUser(root, record.config.User, host.GroupAdd ?? []);
  return {
    id: record.id,
    process: await withLandlock(parts, host, processSpec(parts, record, { user, size })),
    root,
    hostname: config.Hostname,
    domainname: config.Domainname,
    namespaces: namespacesOf(host, (reference) => parts.registry.get(reference)),
    ...(users && { users }),
    mounts: [...mountSpecs(record, parts.volumes), ...secrets.mounts],
    files: [...systemFiles(parts, record, sandbox ?? noNetworks), ...secrets.files],
    devices: devices.nodes,
    maskedPaths: host.MaskedPaths ?? [],
    readonlyPaths: host.ReadonlyPaths ?? [],
    writableSys: host.Privileged,
    shmSize: host.ShmSize,
    ...(host.IpcMode === "none" && { withoutSharedMemory: true }),
    sysctls: resolveSysctls(host, users?.mappings.groups),
    init: host.Init ?? false,
    cgroupPath: cgroupPathOf(parts, record),
    resources: resourcesOf(host, devices.rules),
    ...(attachment && { connect: attachment.connect }),
  };
}

export function cgroupPathOf({ cgroups }: EngineParts, { id, hostConfig }: ContainerRecord): string {
  return cgroups.pathOf(id, hostConfig.CgroupParent || undefined);
}

/** The root file system of a container, to be mounted. */
export function rootOf(
  { snapshots }: EngineParts,
  record: Pick<ContainerRecord, "id" | "layers" | "hostConfig">,
  files: ContainerFiles,
): RootFilesystem {
  const [overlay] = snapshots.mounts(record.id, record.layers);
  if (overlay === undefined)
    throw new SampanError("internal", `Cannot start container ${record.id}: its snapshot has no mounts`);
  const { lower, upper, prepared, options } = overlay;
  return { lower, upper, prepared, options, mountPoint: files.mountPoint, readOnly: record.hostConfig.ReadonlyRootfs };
}

function processSpec(
  parts: EngineParts,
  record: ContainerRecord,
  { user, size }: { readonly user: ResolvedUser; readonly size: TerminalSize | undefined },
): ProcessSpec {
  const { config, hostConfig: host } = record;
  const [rows, columns] = size ? [size.rows, size.columns] : host.ConsoleSize;
  return {
    argv: [record.path, ...record.args],
    env: environment(config, config.Hostname, user.home, variablesOfLinks(parts, record)),
    cwd: config.WorkingDir || "/",
    user,
    terminal: config.Tty,
    ...(rows > 0 && columns > 0 && { consoleSize: [rows, columns] as const }),
    openStdin: config.OpenStdin,
    // A terminal outlives whoever leaves it: detaching, or closing the window, is no end of file.
    stdinOnce: config.StdinOnce && !config.Tty,
    ...rightsOf(parts, record, user.uid),
  };
}

/** The part of a process that its container decides, whether it is the first or an exec's. */
export function rightsOf(
  { ceilings }: EngineParts,
  { hostConfig: host }: ContainerRecord,
  uid: number,
): Pick<ProcessSpec, "capabilities" | "seccomp" | "noNewPrivileges" | "rlimits" | "umask" | "oomScoreAdj"> {
  const granted = grantedCapabilities(host);
  const options = securityOptions(host.SecurityOpt ?? []);
  const limited = layerLimit(host) !== undefined;
  const seccomp = filterOf(options, { privileged: host.Privileged, limited }, granted);
  return {
    capabilities: capabilitySets(granted, uid),
    ...(seccomp && { seccomp }),
    noNewPrivileges: options.noNewPrivileges,
    rlimits: resolveUlimits(host.Ulimits, ceilings),
    umask: 0o022,
    ...(host.OomScoreAdj !== 0 && { oomScoreAdj: host.OomScoreAdj }),
  };
}
