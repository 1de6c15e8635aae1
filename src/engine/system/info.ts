import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { hostname, machine, release, totalmem } from "node:os";
import { join } from "node:path";
import { version } from "../../errors/version.ts";
import { hasProjectQuotas } from "../../storage/quota/support.ts";
import type { EngineParts } from "../parts.ts";
import type { EngineInfo, EngineVersion } from "../types.ts";
import { readLine } from "./machine.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", ia32: "386", arm: "arm" };

export function versionOf(): EngineVersion {
  return {
    version,
    gitCommit: "",
    buildTime: "",
    nodeVersion: process.version,
    os: "linux",
    arch: architectures[process.arch] ?? process.arch,
    kernelVersion: release(),
  };
}

/** What the configuration of this daemon adds to what it finds out. */
export interface Configured {
  readonly insecureRegistries: readonly string[];
  readonly mirrors: readonly string[];
}

/** The state of the daemon, and what the machine can do. */
export function infoOf(parts: EngineParts, configured: Configured): EngineInfo {
  const { cgroups, layout, images, events } = parts;
  const { support } = cgroups;
  return {
    id: identity(layout.root),
    name: hostname(),
    ...counts(parts),
    images: images.list().length,
    root: layout.root,
    backingFilesystem: fileSystemOf(layout.root),
    projectQuotas: hasProjectQuotas(parts.layerStorage.directory),
    layerLimit: parts.layerStorage.usualLimit,
    ...operatingSystem(),
    machine: machine(),
    cpus: parts.machine.cpus,
    memory: totalmem(),
    cgroupVersion: cgroups.version === "v2" ? "2" : "1",
    cgroupParent: cgroups.parent,
    memoryLimit: support.memory,
    swapLimit: support.swap,
    cpuLimits: support.cpuQuota,
    cpuset: support.cpuset,
    pidsLimit: support.pids,
    oomKillDisable: support.oomKillDisable,
    ipv4Forwarding: readLine("/proc/sys/net/ipv4/ip_forward") === "1",
    securityOptions: ["name=seccomp,profile=builtin", ...(parts.users.remaps ? ["name=userns"] : []), "name=cgroupns"],
    defaultNetwork: parts.networking.defaultNetwork,
    eventListeners: events.listeners,
    ...configured,
    warnings: warnings(parts),
  };
}

function counts({ registry }: EngineParts): Pick<EngineInfo, "containers" | "running" | "paused" | "stopped"> {
  let running = 0;
  let paused = 0;
  for (const { state } of registry.all()) {
    if (state.status === "running") running++;
    if (state.status === "paused") paused++;
  }
  return { containers: registry.size, running, paused, stopped: registry.size - running - paused };
}

function warnings({ cgroups: { support }, networking }: EngineParts): string[] {
  const lacking: readonly (readonly [boolean, string])[] = [
    [support.memory, "No memory limit support"],
    [support.swap, "No swap limit support"],
    [support.cpuQuota, "No cpu cfs quota support"],
    [support.cpuset, "No cpuset support"],
    [support.pids, "No pids limit support"],
  ];
  return [...networking.warnings(), ...lacking.flatMap(([there, text]) => (there ? [] : [`WARNING: ${text}`]))];
}

function operatingSystem(): Pick<EngineInfo, "operatingSystem" | "osVersion"> {
  const path = ["/etc/os-release", "/usr/lib/os-release"].find((candidate) => existsSync(candidate));
  const text = path === undefined ? "" : readFileSync(path, "utf8");
  const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { operatingSystem: value("PRETTY_NAME") || "Linux", osVersion: value("VERSION_ID") };
}

/** By the magic numbers of statfs(2), dockerd's names. */
const fileSystems: Readonly<Record<number, string>> = {
  61267: "extfs",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  2035054128: "overlayfs",
  801189825: "zfs",
  4076150800: "f2fs",
  26985: "nfs",
};

function fileSystemOf(path: string): string {
  return fileSystems[statfsSync(path).type] ?? "<unknown>";
}

/** A UUID that stays with the root directory. */
function identity(root: string): string {
  const path = join(root, "engine-id");
  const known = readLine(path);
  if (known !== "") return known;
  const made = randomUUID();
  writeFileSync(path, `${made}\n`);
  return made;
}
