import type { ContainerSize, ContainerView } from "../../engine/types.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import type { ContainerInspect, ContainerState, ContainerSummary, Health, HostConfig } from "../shapes/container.ts";
import { networkSettings, networksOf, portList } from "./container-network.ts";
import { graphDriver } from "./graph-driver.ts";

const v1_44 = versionNumber("1.44");

function sizes(size: ContainerSize | undefined): { SizeRw?: number; SizeRootFs?: number } {
  return size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.rootFs };
}

/** One row of GET /containers/json. */
export function containerSummary(view: ContainerView, size?: ContainerSize): ContainerSummary {
  return {
    Id: view.id,
    Names: [`/${view.name}`],
    Image: view.image,
    ImageID: view.imageId,
    Command: [view.path, ...view.args].map(quoted).join(" "),
    Created: Math.floor(Date.parse(view.createdAt) / 1000),
    Ports: portList(view),
    ...(size && { ...(size.rw > 0 && { SizeRw: size.rw }), ...(size.rootFs > 0 && { SizeRootFs: size.rootFs }) }),
    Labels: view.config.Labels,
    State: view.state.status,
    Status: view.statusText,
    HostConfig: { NetworkMode: view.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksOf(view) },
    Mounts: view.mounts,
  };
}

/** As dockerd shows a command: arguments with a space in them are in single quotes. */
function quoted(argument: string): string {
  return argument.includes(" ") ? `'${argument}'` : argument;
}

function state({ state }: ContainerView): ContainerState {
  return {
    Status: state.status,
    Running: state.running,
    Paused: state.paused,
    Restarting: state.restarting,
    OOMKilled: state.oomKilled,
    Dead: state.dead,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(state.health && { Health: health(state.health) }),
  };
}

function health({ status, failingStreak, log }: NonNullable<ContainerView["state"]["health"]>): Health {
  const Log = log.map(({ start, end, exitCode, output }) => ({
    Start: start,
    End: end,
    ExitCode: exitCode,
    Output: output,
  }));
  return { Status: status, FailingStreak: failingStreak, Log };
}

/** What nobody has asked for is left out where dockerd leaves it out. */
function hostConfig({ hostConfig: host }: ContainerView): HostConfig {
  const { KernelMemory, KernelMemoryTCP, Init, ...rest } = host;
  return {
    ...rest,
    ...(KernelMemory === 0 ? {} : { KernelMemory }),
    ...(KernelMemoryTCP === 0 ? {} : { KernelMemoryTCP }),
    ...(Init === null ? {} : { Init }),
  };
}

/** Where old versions told the MAC address that was asked for, of which a container had one. */
function oldMacAddress({ hostConfig, network }: ContainerView, version: ApiVersion): { MacAddress?: string } {
  const address = network.endpoints[hostConfig.NetworkMode]?.settings.MacAddress;
  return version < v1_44 && address ? { MacAddress: address } : {};
}

function noneIfEmpty<T extends object>(value: T | null): T | null {
  return value !== null && Object.keys(value).length > 0 ? value : null;
}

/** GET /containers/{id}/json. */
export function containerInspect(
  view: ContainerView,
  { size, version }: { readonly size?: ContainerSize | undefined; readonly version: ApiVersion },
): ContainerInspect {
  return {
    Id: view.id,
    Created: view.createdAt,
    Path: view.path,
    Args: view.args,
    State: state(view),
    Image: view.imageId,
    ResolvConfPath: view.resolvConfPath,
    HostnamePath: view.hostnamePath,
    HostsPath: view.hostsPath,
    LogPath: view.logPath,
    Name: `/${view.name}`,
    RestartCount: view.restartCount,
    Driver: graphDriver.Name,
    Platform: view.platform.os,
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: view.execIds.length === 0 ? null : view.execIds,
    HostConfig: hostConfig(view),
    GraphDriver: graphDriver,
    ...sizes(size),
    Mounts: view.mounts,
    Config: { ...view.config, Volumes: noneIfEmpty(view.config.Volumes), ...oldMacAddress(view, version) },
    NetworkSettings: networkSettings(view, version),
  };
}
