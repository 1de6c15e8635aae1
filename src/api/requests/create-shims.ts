import type { CreateRequest, HostConfigRequest, MountRequest } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import { moveMacAddress } from "./mac-address-shim.ts";

const v1_25 = versionNumber("1.25");
const v1_40 = versionNumber("1.40");
const v1_41 = versionNumber("1.41");
const v1_42 = versionNumber("1.42");
const v1_44 = versionNumber("1.44");
const v1_45 = versionNumber("1.45");

/** What old versions of POST /containers/create meant, told in the words of the latest. */
export function modernise(
  request: CreateRequest,
  version: ApiVersion,
  machine: { readonly cgroupVersion: "1" | "2" },
): CreateRequest {
  const host = shimHostConfig(request.hostConfig ?? {}, version, machine);
  const endpoints = request.endpoints;
  const joined = Object.keys(endpoints ?? {});
  if (version < v1_44 && joined.length > 1) {
    throw new SampanError("invalid", `Container cannot be created with network endpoints: ${joined.join(", ")}`);
  }
  const moved = moveMacAddress(request, version);
  return {
    ...moved,
    config: version < v1_44 ? withoutStartInterval(moved.config) : moved.config,
    platform: version < v1_41 ? undefined : request.platform,
    hostConfig: host,
  };
}

function shimHostConfig(
  given: HostConfigRequest,
  version: ApiVersion,
  machine: { readonly cgroupVersion: "1" | "2" },
): HostConfigRequest {
  const host: { -readonly [K in keyof HostConfigRequest]: HostConfigRequest[K] } = { ...given };
  // Zero and all negative numbers have always meant "no limit".
  if ((host.PidsLimit ?? 1) <= 0) host.PidsLimit = null;
  // Clients before 1.25 removed the container themselves.
  if (version < v1_25) host.AutoRemove = false;
  if (version < v1_40 && !host.IpcMode) host.IpcMode = "shareable";
  if (version < v1_41 && machine.cgroupVersion === "1" && !host.CgroupnsMode) host.CgroupnsMode = "host";
  if (version < v1_42) host.ConsoleSize = [0, 0];
  // From 1.42 on the limit of kernel memory is ignored: kernels dropped it in 5.4.
  else host.KernelMemory = 0;
  if (host.Mounts) host.Mounts = host.Mounts.map((mount) => shimMount(mount, version));
  return host;
}

function shimMount(mount: MountRequest, version: ApiVersion): MountRequest {
  let { BindOptions, VolumeOptions } = mount;
  if (BindOptions && version < v1_40) BindOptions = { ...BindOptions, NonRecursive: undefined };
  if (BindOptions && version < v1_42) BindOptions = { ...BindOptions, CreateMountpoint: undefined };
  // What is mounted below a read-only mount was writable because runtimes could not help it: nobody asked for that.
  if (BindOptions && version < v1_44) {
    BindOptions = { ...BindOptions, ReadOnlyNonRecursive: undefined, ReadOnlyForceRecursive: undefined };
  }
  if (VolumeOptions && version < v1_45) VolumeOptions = { ...VolumeOptions, Subpath: undefined };
  return { ...mount, BindOptions, VolumeOptions };
}

function withoutStartInterval(config: CreateRequest["config"]): CreateRequest["config"] {
  const { Healthcheck } = config;
  return Healthcheck ? { ...config, Healthcheck: { ...Healthcheck, StartInterval: undefined } } : config;
}
