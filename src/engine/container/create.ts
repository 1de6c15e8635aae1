import { isIP } from "node:net";
import { hostname } from "node:os";
import { SampanError } from "../../errors/index.ts";
import { parsePlatform } from "../../images/platform.ts";
import type { Platform, StoredImage } from "../../images/types.ts";
import { parseSignal } from "../../kernel/signals.ts";
import type { Digest } from "../../storage/digest.ts";
import type { LayerRef } from "../../storage/snapshots/types.ts";
import type { ContainerConfig, CreateRequest, HostConfig } from "../config.ts";
import { checkEgress } from "../egress/policy.ts";
import { parseExtraHost } from "../files/hosts.ts";
import { validateHealthcheck } from "../health/probe.ts";
import { newId, shortId } from "../identity/ids.ts";
import { parseName, randomName } from "../identity/names.ts";
import { resolveMounts } from "../mounts/resolve.ts";
import { decideEndpoints } from "../networks/decide.ts";
import { recordedLinks } from "../networks/links.ts";
import { exposedPorts, portRequests } from "../networks/ports.ts";
import { holdAddresses } from "../networks/static-addresses.ts";
import { moveInterfaceSysctls } from "../networks/sysctls.ts";
import type { EngineParts } from "../parts.ts";
import { type ContainerRecord, newborn } from "../records/record.ts";
import { resolveDevices } from "../request/devices.ts";
import { landlockWarnings } from "../request/landlock.ts";
import { validateLimits, withSwapDefault } from "../request/limits.ts";
import { commandLine, mergeImage } from "../request/merge.ts";
import { normaliseConfig, normaliseHostConfig, withDefaultNetwork } from "../request/normalise.ts";
import { refuseUnsupported } from "../request/refusals.ts";
import { resourcesOf } from "../request/resources.ts";
import { grantedCapabilities, securityOptions } from "../request/security.ts";
import { layerLimit, withLayerLimit } from "../request/storage-options.ts";
import { resolveSysctls } from "../request/sysctls.ts";
import { checkTimeOffsets } from "../request/time-offsets.ts";
import { resolveUlimits } from "../request/ulimits.ts";
import { resolveSecrets } from "../secrets/mounts.ts";
import { nowNs } from "../time.ts";
import type { CreateResult } from "../types.ts";
import { takeUsers } from "../users/take.ts";
import { makeVolumes } from "../volumes/fill.ts";
import { volumeNames } from "../volumes/use.ts";
import { containerEvent } from "./events.ts";
import { ContainerFiles } from "./files.ts";
import { Container } from "./live.ts";
import { resolveModes, sharedContainer } from "./modes.ts";

/** Everything a request decides, checked; the name is still to come. */
export interface Decided {
  readonly record: Omit<ContainerRecord, "name">;
  readonly warnings: readonly string[];
}

/** Makes a container that can be started: its record, its directory, its writable layer. All or nothing. */
export async function createContainer(parts: EngineParts, request: CreateRequest): Promise<CreateResult> {
  const { registry, snapshots, events, layout } = parts;
  const asked = request.name ? parseName(request.name) : undefined;
  const lacking = await landlockWarnings(parts, request.hostConfig);
  const { record: decided, warnings } = decide(parts, request);
  const name = asked ?? freeName(parts);
  using _reserved = registry.reserve(name);
  using taken = takeUsers(parts, decided);
  const { record } = taken;
  using _pinned = registry.pin(record.imageId);
  using _kept = parts.volumes.pin(volumeNames(record));
  const files = new ContainerFiles(layout, record.id);
  const container = new Container({ ...record, name }, newborn, files);
  const limit = layerLimit(record.hostConfig);
  // A loss of power must not leave the container of an image that is not there.
  const settling = parts.images.settling(record.imageId as Digest);
  if (settling !== undefined) await settling;
  try {
    files.make();
    await snapshots.prepare(record.id, record.layers, limit);
    await makeVolumes(parts, record, files);
    registry.insert(container);
    holdAddresses(parts.networking, record.endpoints);
  } catch (error) {
    await snapshots.remove(record.id, { limited: limit !== undefined });
    files.remove();
    throw error;
  }
  containerEvent(events, container, "create");
  return { id: record.id, warnings: [...warnings, ...lacking] };
}

/** Decides all about a container, and touches nothing. */
export function decide(parts: EngineParts, request: CreateRequest): Decided {
  const wanted = normaliseConfig(request.config);
  const image = parts.images.resolve(wanted.Image, request.platform ? parsePlatform(request.platform) : undefined);
  const asked = normaliseHostConfig(request.hostConfig ?? {});
  refuseUnsupported(asked);
  const given = withLayerLimit(asked, parts.layerStorage, image.virtual === "host");
  const id = newId();
  const merged = mergeImage(wanted, image.config.config ?? {});
  const find = (reference: string) => mentioned(parts, reference);
  const modes = resolveModes(wanted, withDefaultNetwork(given, parts.networking.defaultNetwork), find);
  const host = resolveSecrets(parts.secrets, withSwapDefault(modes, parts.cgroups.support.swap));
  const endpoints = merged.NetworkDisabled ? {} : decideEndpoints(parts.networking, host, request.endpoints);
  const moved = moveInterfaceSysctls(host, endpoints);
  validate(parts, merged, moved.host);
  const { path, args } = commandLine(merged);
  const mounts = resolveMounts(host, merged.Volumes, (reference) => find(reference).record.mounts);
  const record = {
    id,
    createdAt: nowNs(),
    imageId: image.id,
    platform: platformOf(image),
    layers: layersOf(image),
    path,
    args,
    config: { ...merged, Hostname: hostnameOf(merged, host, { id, find }) },
    hostConfig: checkEgress(
      { ...moved.host, Links: recordedLinks(moved.host, find) },
      parts.networking,
      Object.keys(endpoints),
    ),
    endpoints: moved.endpoints,
    mounts,
  };
  return { record, warnings: [...(request.warnings ?? []), ...warningsOf(host)] };
}

/** A container that the request mentions. "invalid": a client that is told "not-found" takes the image for missing and pulls it. */
function mentioned({ registry }: EngineParts, reference: string): Container {
  const container = registry.find(reference);
  if (container === undefined) throw new SampanError("invalid", `No such container: ${reference}`);
  return container;
}

/** Of sethostname(2) and setdomainname(2), in bytes. */
const longestHostname = 64;

/** What can only be found out by trying is tried now: a container that was made can be started. */
function validate(parts: EngineParts, config: ContainerConfig, host: HostConfig): void {
  validateLimits(host, parts.machine);
  resolveUlimits(host.Ulimits, parts.ceilings);
  resourcesOf(host, resolveDevices(host).rules);
  securityOptions(host.SecurityOpt ?? []);
  grantedCapabilities(host);
  resolveSysctls(host);
  checkTimeOffsets(host);
  for (const extra of host.ExtraHosts ?? []) parseExtraHost(extra);
  validateHealthcheck(config);
  for (const server of host.Dns ?? []) {
    if (isIP(server) === 0) throw new SampanError("invalid", `bad nameserver address: ${server}`);
  }
  portRequests(config, host);
  exposedPorts(config);
  if (config.StopSignal !== undefined) parseSignal(config.StopSignal);
  for (const name of [config.Hostname, config.Domainname]) {
    if (Buffer.byteLength(name) > longestHostname) {
      throw new SampanError("invalid", `invalid hostname ${name}: longer than ${longestHostname} bytes`);
    }
  }
  if (config.WorkingDir !== "" && !config.WorkingDir.startsWith("/")) {
    throw new SampanError(
      "invalid",
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  for (const variable of config.Env) {
    if (variable.startsWith("=") || variable === "")
      throw new SampanError("invalid", `invalid environment variable: ${variable}`);
  }
}

function freeName({ registry }: EngineParts): string {
  for (let attempt = 0; ; attempt++) {
    const name = randomName(attempt);
    if (registry.isFree(name)) return name;
  }
}

/** Who uses another container's network has its name, too: it is what /etc/hosts knows. */
function hostnameOf(
  config: ContainerConfig,
  host: HostConfig,
  { id, find }: { readonly id: string; find(reference: string): Container },
): string {
  if (config.Hostname !== "") return config.Hostname;
  const shared = sharedContainer(host.NetworkMode);
  if (shared !== undefined) return find(shared).record.config.Hostname;
  return host.NetworkMode === "host" || host.UTSMode === "host" ? hostname() : shortId(id);
}

function layersOf(image: StoredImage): LayerRef[] {
  return image.virtual === "host" ? ["host"] : image.layers.map(({ chainId }) => chainId);
}

function platformOf({ config: { os, architecture, variant } }: StoredImage): Platform {
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

function warningsOf({ NetworkMode: mode, PortBindings: bindings }: HostConfig): string[] {
  const discarded = (mode === "host" || mode === "none") && Object.keys(bindings ?? {}).length > 0;
  return discarded ? [`Published ports are discarded when using ${mode} network mode`] : [];
}
