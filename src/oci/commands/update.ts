import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { openCgroupsAt } from "../../cgroups/index.ts";
import type { Cgroups, Resources } from "../../cgroups/types.ts";
import { SampanError } from "../../errors/index.ts";
import { numberOption, type Options } from "../arguments.ts";
import { type OciResources, resourcesShape } from "../config/resources.ts";
import { parse } from "../config/shape.ts";
import { statusOf } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { resourcesOf } from "../translate/resources.ts";
import { command, idOf } from "./command.ts";

const options = {
  resources: { kind: "text", short: "r", help: "a file with the resources as JSON, or - for standard input" },
  "blkio-weight": { kind: "text", help: "weight of block I/O, 10 to 1000" },
  "cpu-period": { kind: "text", help: "CPU period in microseconds" },
  "cpu-quota": { kind: "text", help: "CPU time per period in microseconds" },
  "cpu-burst": { kind: "text", help: "CPU time that may be saved up, in microseconds" },
  "cpu-share": { kind: "text", help: "CPU shares" },
  "cpu-rt-period": { kind: "text", help: "refused, as in config.json" },
  "cpu-rt-runtime": { kind: "text", help: "refused, as in config.json" },
  "cpuset-cpus": { kind: "text", help: "CPUs to use" },
  "cpuset-mems": { kind: "text", help: "memory nodes to use" },
  "cpu-idle": { kind: "text", help: "1: run only when nothing else does" },
  memory: { kind: "text", help: "bytes of memory" },
  "memory-reservation": { kind: "text", help: "bytes of memory that are kept when it gets scarce" },
  "memory-swap": { kind: "text", help: "bytes of memory and swap together; -1 is no limit" },
  "pids-limit": { kind: "text", help: "how many processes" },
  "l3-cache-schema": { kind: "text", help: "refused: Intel RDT is not configured by this runtime" },
  "mem-bw-schema": { kind: "text", help: "refused: Intel RDT is not configured by this runtime" },
} as const;

export const update = command({
  name: "update",
  usage: "[options] CONTAINER",
  help: "change what a container may use",
  options,
  words: [1, 1],
  run: ({ store }, given, words) => {
    const record = store.read(idOf(words));
    const status = statusOf(store, record);
    if (status === "stopped") throw new SampanError("conflict", `container ${record.id} is stopped`);
    for (const name of ["l3-cache-schema", "mem-bw-schema"] as const)
      if (given[name]) throw new SampanError("unsupported", `--${name} is not supported: Intel RDT is not configured`);
    const present = store.bundleOf(record).config.linux?.resources;
    const resources = given.resources === undefined ? fromOptions(given) : fromFile(given.resources, present);
    const cgroups = openCgroupsAt(record.cgroupPath);
    if (resources.checkBeforeUpdate) checkMemory(cgroups, record, resources.limits);
    cgroups.update(record.cgroupPath, resources.limits);
    return 0;
  },
});

interface Change {
  readonly limits: Omit<Resources, "devices">;
  /** Memory that is in use already is not to be taken away. */
  readonly checkBeforeUpdate: boolean;
}

/** v1 refuses by itself; v2 would kill (config-linux.md, "Memory", checkBeforeUpdate). */
function checkMemory(cgroups: Cgroups, { cgroupPath }: ContainerRecord, { memory }: Change["limits"]): void {
  const used = cgroups.usage(cgroupPath).memory?.usage ?? 0;
  if (memory?.limit === undefined || memory.limit < 0 || memory.limit >= used) return;
  throw new SampanError("conflict", `memory.limit: ${memory.limit} bytes are less than the ${used} in use`);
}

/** Podman hands over all resources, the rules of devices too: they must be those that the container has. */
function fromFile(path: string, present: OciResources | undefined): Change {
  const json = readFileSync(path === "-" ? 0 : path, "utf8");
  const document = parse(json, resourcesShape, path === "-" ? "standard input" : path);
  const { devices, ...limits } = resourcesOf(document);
  if (devices === undefined || isDeepStrictEqual(devices, present && resourcesOf(present).devices))
    return { limits, checkBeforeUpdate: document.memory?.checkBeforeUpdate ?? false };
  throw new SampanError("unsupported", "devices is not supported: the rules of a container stay as they were made");
}

function fromOptions(given: Options<typeof options>): Change {
  const number = (name: keyof typeof options) => numberOption(given[name], name);
  const document = {
    memory: { limit: number("memory"), reservation: number("memory-reservation"), swap: number("memory-swap") },
    cpu: {
      shares: number("cpu-share"),
      quota: number("cpu-quota"),
      period: number("cpu-period"),
      burst: number("cpu-burst"),
      idle: number("cpu-idle"),
      realtimeRuntime: number("cpu-rt-runtime"),
      realtimePeriod: number("cpu-rt-period"),
      cpus: given["cpuset-cpus"],
      mems: given["cpuset-mems"],
    },
    pids: { limit: number("pids-limit") },
    blockIO: { weight: number("blkio-weight") },
  };
  return { limits: resourcesOf(resourcesShape(document, "update")), checkBeforeUpdate: false };
}
