import type { DeviceRule, Resources } from "../../cgroups/types.ts";
import { SampanError } from "../../errors/index.ts";
import { defaultDeviceRules } from "../../kernel/devices.ts";
import type { OciResources } from "../config/resources.ts";

/**
 * `linux.resources`. As in runc, 0 is as good as absent (Go's tools leave it there), and every container may use the
 * default devices.
 */
export function resourcesOf(resources: OciResources): Resources {
  const { memory, cpu, pids, blockIO, hugepageLimits, rdma, unified } = resources;
  const network = resources.network && networkOf(resources.network);
  return {
    ...(memory && { memory: memoryOf(memory) }),
    ...(cpu && { cpu: present(cpu) }),
    ...(pids?.limit !== undefined && { pids: { limit: pids.limit } }),
    ...(blockIO && { blockIO: blockIoOf(blockIO) }),
    ...(hugepageLimits.length > 0 && { hugepages: hugepageLimits }),
    ...(network && Object.keys(network).length > 0 && { network }),
    ...(Object.keys(rdma).length > 0 && { rdma: rdmaOf(rdma) }),
    ...(resources.devices.length > 0 && { devices: devicesOf(resources) }),
    ...(Object.keys(unified).length > 0 && { unified }),
  };
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is 0, empty, false or not there. `idle` is said by 0, too. */
function present<T extends object>(fields: T): Present<T> {
  const kept = Object.entries(fields).filter(([name, value]) =>
    name === "idle" ? value !== undefined : Boolean(value),
  );
  return Object.fromEntries(kept) as Present<T>;
}

function memoryOf(memory: NonNullable<OciResources["memory"]>): NonNullable<Resources["memory"]> {
  const { limit, reservation, swap, disableOOMKiller, swappiness } = memory;
  return {
    ...present({ limit, reservation, swap, disableOOMKiller }),
    ...(swappiness !== undefined && { swappiness }),
  };
}

function blockIoOf(io: NonNullable<OciResources["blockIO"]>): NonNullable<Resources["blockIO"]> {
  const { weight, weightDevice, leafWeight: _, ...throttles } = io;
  return {
    ...throttles,
    ...(weight && { weight }),
    weightDevice: weightDevice.flatMap(({ major, minor, weight: own }) => (own ? [{ major, minor, weight: own }] : [])),
  };
}

function networkOf({ classID, priorities }: NonNullable<OciResources["network"]>): NonNullable<Resources["network"]> {
  return { ...(classID && { classId: classID }), ...(priorities.length > 0 && { priorities }) };
}

/** Here 0 is a limit. */
function rdmaOf(rdma: OciResources["rdma"]): NonNullable<Resources["rdma"]> {
  const limits = Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]) => [
    device,
    { ...(hcaHandles !== undefined && { hcaHandles }), ...(hcaObjects !== undefined && { hcaObjects }) },
  ]);
  return Object.fromEntries(limits);
}

function devicesOf({ devices }: OciResources): DeviceRule[] {
  const own = devices.map((rule, index): DeviceRule => {
    const type = rule.type === "u" ? "c" : rule.type || "a";
    if (type === "p") throw new SampanError("invalid", `linux.resources.devices[${index}].type: a pipe is no device`);
    const access = rule.access || (type === "a" ? "rwm" : "");
    const { major, minor } = rule;
    return {
      allow: rule.allow,
      type,
      access,
      ...(major !== undefined && major >= 0 && { major }),
      ...(minor !== undefined && minor >= 0 && { minor }),
    };
  });
  // The first default rule denies everything, which is for config.json to say.
  return [...own, ...defaultDeviceRules.slice(1)];
}
