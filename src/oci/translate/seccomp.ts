import { release } from "node:os";
import { SampanError } from "../../errors/index.ts";
import type { CapabilityName } from "../../kernel/capabilities.ts";
import {
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from "../../kernel/seccomp/actions.ts";
import { foreignArchNames, seccompArchs } from "../../kernel/seccomp/architectures.ts";
import { kernelVersionOf, seccompFilter } from "../../kernel/seccomp/filter.ts";
import type { SeccompProfile } from "../../kernel/seccomp/profile.ts";
import { hostArch } from "../../kernel/syscalls/index.ts";
import type { BundleProcess } from "../../runtime/bundle/types.ts";
import type { ProcessSpec } from "../../runtime/types.ts";
import { type OciSeccomp, waitKillable } from "../config/seccomp.ts";
import { type HookedContainer, stateAround } from "./hooks.ts";

const always = { caps: [], arches: [], minKernel: undefined };

/** `linux.seccomp` as a filter of this machine. Conditions of Docker's profiles were decided by whoever wrote config.json. */
export function seccompOf(
  seccomp: OciSeccomp | undefined,
  bounding: readonly CapabilityName[],
): Pick<ProcessSpec, "seccomp"> {
  if (seccomp === undefined) return {};
  for (const [index, name] of seccomp.architectures.entries()) {
    if (Object.hasOwn(seccompArchs, name) || foreignArchNames.has(name)) continue;
    throw new SampanError("invalid", `linux.seccomp.architectures[${index}]: ${name} is no architecture`);
  }
  const asks = checkNotify(seccomp);
  const profile: SeccompProfile = {
    defaultAction: seccomp.defaultAction,
    defaultErrno: seccomp.defaultErrnoRet,
    architectures: seccomp.architectures,
    archMap: [],
    flags: seccomp.flags?.filter((name) => name !== waitKillable),
    syscalls: seccomp.syscalls.map(({ errnoRet, ...rule }) => ({
      ...rule,
      errno: errnoRet,
      includes: always,
      excludes: always,
    })),
  };
  const context = { arch: hostArch(), kernel: kernelVersionOf(release()), capabilities: bounding };
  const { program, flags } = seccompFilter(profile, context);
  return { seccomp: { filter: program, flags: flags | (asks ? listenerFlags(seccomp) : 0) } };
}

function listenerFlags({ flags }: OciSeccomp): number {
  const killable = flags?.includes(waitKillable) ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0;
  return SECCOMP_FILTER_FLAG_NEW_LISTENER | killable;
}

/** Whether somebody is asked, and can be. As in runc: not about write(2), by which a process tells that its filter is there. */
function checkNotify(seccomp: OciSeccomp): boolean {
  const wrong = (field: string, why: string) => new SampanError("invalid", `linux.seccomp.${field}: ${why}`);
  if (seccomp.defaultAction === "SCMP_ACT_NOTIFY")
    throw wrong("defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action");
  const asking = seccomp.syscalls.filter(({ action }) => action === "SCMP_ACT_NOTIFY");
  if (asking.some(({ names }) => names.includes("write")))
    throw wrong("syscalls", "SCMP_ACT_NOTIFY cannot be used for the write syscall");
  if (asking.length > 0 && seccomp.listenerPath === "")
    throw wrong("listenerPath", "SCMP_ACT_NOTIFY needs a listener to ask");
  if (asking.length === 0 && seccomp.flags?.includes(waitKillable))
    throw wrong("flags", `${waitKillable} needs a call with SCMP_ACT_NOTIFY`);
  return asking.length > 0;
}

const longestSocketPath = 107;

/** The listener of a profile that asks, and what it is told of the container (config-linux.md, "The Container Process State"). */
export function listenerOf(
  seccomp: OciSeccomp | undefined,
  container: HookedContainer,
  status: "creating" | "running",
  containerPid?: number,
): Pick<BundleProcess, "listener"> {
  if (!seccomp?.syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY")) return {};
  const { listenerPath: path, listenerMetadata: metadata } = seccomp;
  if (!path.startsWith("/") || Buffer.byteLength(path) > longestSocketPath)
    throw new SampanError(
      "invalid",
      `linux.seccomp.listenerPath: ${path} is no absolute path of ${longestSocketPath} bytes at most`,
    );
  const head = JSON.stringify({ ociVersion: container.ociVersion, fds: ["seccompFd"] });
  const tail = JSON.stringify(metadata);
  const [before, after] = stateAround(container, status);
  const between = `,"metadata":${tail},"state":${before}`;
  const parts = [`${head.slice(0, -1)},"pid":`, between, `${after}}`];
  // In exec the process that is asked about is not the container's
  const [first = "", ...rest] = parts;
  return { listener: { path, state: containerPid === undefined ? parts : [first, rest.join(String(containerPid))] } };
}
