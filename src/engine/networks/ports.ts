import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";
import type { PortRange, PortRequest } from "../../network/ports/types.ts";
import type { Protocol } from "../../network/types.ts";
import type { ContainerConfig, HostConfig, PortBinding } from "../config.ts";

const protocols: readonly string[] = ["tcp", "udp", "sctp"];

/** A port as Docker writes it: "80/tcp", "53/udp", "80". */
export interface ContainerPort {
  readonly port: number;
  readonly protocol: Protocol;
}

/** Reads "80/tcp". Throws "invalid" with dockerd's text. */
export function parseContainerPort(text: string): ContainerPort {
  const [port = "", protocol = "tcp", ...rest] = text.split("/");
  const lower = protocol.toLowerCase();
  if (!isPort(port) || rest.length > 0) throw invalid(port);
  if (!protocols.includes(lower)) throw new SampanError("invalid", `invalid protocol: ${protocol}`);
  return { port: Number(port), protocol: lower as Protocol };
}

/** The way a port is written in Docker's maps, whatever way it was asked for. */
export function portKey(text: string): string {
  const { port, protocol } = parseContainerPort(text);
  return `${port}/${protocol}`;
}

/** A key that may name a range: "8000-8010/tcp" is eleven ports. */
export function expandPorts(text: string): string[] {
  const [numbers = "", protocol = "tcp"] = text.split("/");
  const range = /^(\d+)-(\d+)$/.exec(numbers);
  if (range === null) return [portKey(text)];
  const { first, last } = hostPorts(numbers) as PortRange;
  return Array.from({ length: last - first + 1 }, (_, index) => portKey(`${first + index}/${protocol}`));
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 && Number(text) > 0;
}

function invalid(text: string): SampanError {
  return new SampanError("invalid", `invalid port specification: ${JSON.stringify(text)}`);
}

/** "8080", "8000-8010", or nothing: any free one. */
function hostPorts(text: string): number | PortRange | undefined {
  if (text === "" || text === "0") return undefined;
  const [first = "", last, ...rest] = text.split("-");
  if (!isPort(first) || (last !== undefined && !isPort(last)) || rest.length > 0) throw invalid(text);
  if (last === undefined || last === first) return Number(first);
  if (Number(last) < Number(first)) throw invalid(text);
  return { first: Number(first), last: Number(last) };
}

/** What ports a container publishes: those it names, and with PublishAllPorts every other one that it exposes. */
export function portRequests(config: ContainerConfig, host: HostConfig): PortRequest[] {
  const named = Object.entries(host.PortBindings ?? {}).flatMap(([key, bindings]) =>
    // A port without a binding is asked for at any port of the machine.
    (bindings === null || bindings.length === 0 ? [{}] : bindings).map((binding) => portRequest(key, binding)),
  );
  if (!host.PublishAllPorts) return named;
  const bound = new Set(Object.keys(host.PortBindings ?? {}).map(portKey));
  const others = exposedPorts(config).filter((key) => !bound.has(key));
  return [...named, ...others.map((key) => portRequest(key, {}))];
}

function portRequest(key: string, { HostIp = "", HostPort = "" }: PortBinding): PortRequest {
  const { port, protocol } = parseContainerPort(key);
  const hostAddress = HostIp.replace(/^\[|\]$/g, "");
  if (hostAddress !== "" && isIP(hostAddress) === 0) {
    throw new SampanError("invalid", `invalid IP address in port binding: ${JSON.stringify(HostIp)}`);
  }
  const hostPort = hostPorts(HostPort);
  return {
    protocol,
    containerPort: port,
    ...(hostAddress !== "" && { hostAddress }),
    ...(hostPort !== undefined && { hostPort }),
  };
}

/** The ports that a container says it listens at. */
export function exposedPorts({ ExposedPorts }: Pick<ContainerConfig, "ExposedPorts">): string[] {
  return Object.keys(ExposedPorts ?? {}).flatMap(expandPorts);
}
