import { SampanError } from "../../errors/index.ts";
import type { ImageStore } from "../../images/types.ts";
import { expandPorts, exposedPorts } from "../networks/ports.ts";
import type { EngineParts } from "../parts.ts";
import type { Filters, ListOptions } from "../types.ts";
import type { Container } from "./live.ts";

type Test = (container: Container) => boolean;

const statuses: readonly string[] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** The containers a list asks for, newest first. */
export function listContainers(parts: EngineParts, options: ListOptions): Container[] {
  const { registry } = parts;
  const filters = options.filters ?? {};
  const test = testOf(filters, parts);
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const widened = options.all || limit !== Number.POSITIVE_INFINITY || "status" in filters;
  const found = [...registry.all()].filter((container) => (widened || container.isLive) && test(container));
  return found.sort((a, b) => (a.record.createdAt < b.record.createdAt ? 1 : -1)).slice(0, limit);
}

function testOf(filters: Filters, parts: EngineParts): Test {
  const tests = Object.entries(filters).map(([key, values]) => {
    const maker = makers[key];
    if (maker === undefined) throw new SampanError("invalid", `invalid filter '${key}'`);
    return maker(values, parts);
  });
  return (container) => tests.every((test) => test(container));
}

const healths: readonly string[] = ["none", "starting", "healthy", "unhealthy"];

type Maker = (values: readonly string[], parts: EngineParts) => Test;

const any =
  (test: (container: Container, value: string) => boolean): Maker =>
  (values) =>
  (container) =>
    values.length === 0 || values.some((value) => test(container, value));

const makers: Readonly<Record<string, Maker>> = {
  id: any(({ id }, value) => matches(value, id)),
  name: any(({ record }, value) => matches(value, record.name) || matches(value, `/${record.name}`)),
  label: (values) => (container) => values.every((value) => hasLabel(container, value)),
  status: (values) => {
    const unknown = values.find((value) => !statuses.includes(value));
    if (unknown !== undefined)
      throw new SampanError(
        "invalid",
        `invalid filter 'status=${unknown}': invalid value for state (${unknown}): must be one of ${statuses.join(", ")}`,
      );
    return ({ state }) => values.includes(state.status);
  },
  exited: (values) => {
    const codes = values.map(Number);
    if (codes.some(Number.isNaN)) throw new SampanError("invalid", `invalid filter 'exited=${values.join()}'`);
    return ({ state }) => state.status === "exited" && codes.includes(state.exitCode);
  },
  before: (values, { registry }) => {
    const { record } = registry.get(values[0] ?? "");
    return (container) => container.record.createdAt < record.createdAt;
  },
  since: (values, { registry }) => {
    const { record } = registry.get(values[0] ?? "");
    return (container) => container.record.createdAt > record.createdAt;
  },
  ancestor: (values, { images }) => {
    const ids = new Set(values.flatMap((value) => imageId(images, value)));
    return ({ record }) => ids.has(record.imageId) || values.includes(record.config.Image);
  },
  volume: any(({ record }, value) =>
    record.mounts.some((mount) => mount.destination === value || (mount.type === "volume" && mount.name === value)),
  ),
  network: (values, { networking }) => {
    const names = values.map((value) => networking.find(value)?.name ?? value);
    return ({ record }) => names.some((name) => Object.hasOwn(record.endpoints, name));
  },
  health: (values) => {
    const unknown = values.find((value) => !healths.includes(value));
    if (unknown === undefined) return ({ state }) => values.includes(state.health?.status ?? "none");
    const help = `invalid value for health (${unknown}): must be one of ${healths.join(", ")}`;
    throw new SampanError("invalid", `invalid filter 'health=${unknown}': ${help}`);
  },
  publish: (values) => {
    const ports = new Set(values.flatMap(expandPorts));
    return ({ sandbox }) => (sandbox?.ports ?? []).some((port) => ports.has(`${port.containerPort}/${port.protocol}`));
  },
  expose: (values) => {
    const ports = new Set(values.flatMap(expandPorts));
    return ({ record }) => exposedPorts(record.config).some((port) => ports.has(port));
  },
  "is-task": any((_container, value) => value === "false" || value === "0"),
  isolation: any((_container, value) => value === "default"),
};

/** A value is a regular expression as well as a plain part, as Docker has it; one that is no expression is plain. */
function matches(value: string, text: string): boolean {
  if (text.includes(value)) return true;
  try {
    return new RegExp(value).test(text);
  } catch {
    return false;
  }
}

function hasLabel({ record: { config } }: Container, filter: string): boolean {
  const at = filter.indexOf("=");
  const name = at < 0 ? filter : filter.slice(0, at);
  return Object.hasOwn(config.Labels, name) && (at < 0 || config.Labels[name] === filter.slice(at + 1));
}

function imageId(images: ImageStore, name: string): string[] {
  try {
    return [images.resolve(name).id];
  } catch {
    return [];
  }
}
