import { bridgeSettings, type FamilySettings } from "../drivers/bridge-settings.ts";
import { gatewayOf } from "../drivers/gateway.ts";
import type { Suffix } from "../drivers/names.ts";
import type { ContainerNetworking } from "../host/types.ts";
import type { PublishedPort } from "../types.ts";
import type { RuleElement } from "./elements.ts";

type Family = 4 | 6;

/** From this many ports on a run of equal ones is one element: intervals cost more to change than single ports. */
const shortestRange = 8;

/** Successive ports, each published as the one of the same distance from `containerPort`. */
interface Run extends PublishedPort {
  count: number;
}

/** Where the published ports of a family lead. */
interface Target {
  readonly address: string;
  readonly settings: FamilySettings;
}

/** The published ports as elements of our maps: a range is one, however long. */
export function portElements(container: ContainerNetworking, suffix: Suffix): RuleElement[] {
  if (container.ports.length === 0) return [];
  return ([4, 6] as const).flatMap((family) => {
    const target = targetOf(container, family, suffix);
    if (target === undefined) return [];
    const runs = runsOf(container.ports.filter((port) => familyOf(port) === family));
    return runs.flatMap((run) => elementsOf(run, target, family));
  });
}

/** Ports of `container` that lead anywhere: those whose family its gateway's endpoint has an address of. */
export function effectivePorts(container: ContainerNetworking, suffix: Suffix): PublishedPort[] {
  if (container.ports.length === 0) return [];
  const has = { 4: targetOf(container, 4, suffix), 6: targetOf(container, 6, suffix) };
  return container.ports.filter((port) => has[familyOf(port)] !== undefined);
}

/** The container's address that ports of a family lead to. */
export function publishAddress(container: ContainerNetworking, family: Family, suffix: Suffix): string | undefined {
  return targetOf(container, family, suffix)?.address;
}

export function familyOf({ hostAddress }: Pick<PublishedPort, "hostAddress">): Family {
  return hostAddress.includes(":") ? 6 : 4;
}

function targetOf({ connections }: ContainerNetworking, family: Family, suffix: Suffix): Target | undefined {
  const gateway = gatewayOf(connections, family);
  if (gateway?.network.driver !== "bridge") return undefined;
  const address = (family === 4 ? gateway.endpoint.ipv4 : gateway.endpoint.ipv6)?.address;
  const settings = bridgeSettings(gateway.network, suffix)[family === 4 ? "ipv4" : "ipv6"];
  return address !== undefined && settings ? { address, settings } : undefined;
}

function runsOf(ports: readonly PublishedPort[]): Run[] {
  const sorted = ports.toSorted((a, b) => order(a, b));
  const runs: Run[] = [];
  for (const port of sorted) {
    const last = runs.at(-1);
    if (last && continues(last, port)) last.count++;
    else runs.push({ ...port, count: 1 });
  }
  return runs;
}

function order(a: PublishedPort, b: PublishedPort): number {
  const where = (port: PublishedPort) => `${port.hostAddress} ${port.protocol} ${port.hostPort - port.containerPort}`;
  const [first, second] = [where(a), where(b)];
  return first === second ? a.hostPort - b.hostPort : first < second ? -1 : 1;
}

function continues(run: Run, port: PublishedPort): boolean {
  return (
    port.hostAddress === run.hostAddress &&
    port.protocol === run.protocol &&
    port.hostPort === run.hostPort + run.count &&
    port.containerPort === run.containerPort + run.count
  );
}

function elementsOf(run: Run, { address, settings }: Target, family: Family): RuleElement[] {
  if (settings.mode === "routed") {
    const ports = { from: run.containerPort, to: run.containerPort + run.count - 1 };
    return [{ set: `open${family}`, key: [address, run.protocol, ports] }];
  }
  const everywhere = run.hostAddress === "0.0.0.0" || run.hostAddress === "::";
  const where = everywhere ? [run.protocol] : [run.hostAddress, run.protocol];
  if (run.hostPort === run.containerPort && run.count >= shortestRange) {
    const set = everywhere ? (`rangeEverywhere${family}` as const) : (`range${family}` as const);
    return [{ set, key: [...where, { from: run.hostPort, to: run.hostPort + run.count - 1 }], value: [address] }];
  }
  const set = everywhere ? (`everywhere${family}` as const) : (`publish${family}` as const);
  return Array.from({ length: run.count }, (_, index) => ({
    set,
    key: [...where, run.hostPort + index],
    value: [address, run.containerPort + index],
  }));
}
