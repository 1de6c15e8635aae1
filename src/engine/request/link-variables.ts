import type { ContainerPort } from "../networks/ports.ts";

/** What a container's variables tell of one that it is linked to. */
export interface LinkedService {
  /** The name of the container that has asked for the link. */
  readonly asker: string;
  readonly alias: string;
  readonly address: string;
  readonly ports: readonly ContainerPort[];
  /** The linked container's own variables. */
  readonly env: readonly string[];
}

/** Every image has them; they say nothing about what it serves. */
const withheld: ReadonlySet<string> = new Set(["HOME", "PATH"]);

/**
 * The variables of a link on the default network, as dockerd has set them until version 28: ALIAS_PORT of the first port,
 * ALIAS_PORT_80_TCP, …_ADDR, …_PORT and …_PROTO of each, …_START and …_END of ports in a row, ALIAS_NAME and ALIAS_ENV_….
 */
export function linkVariables({ asker, alias, address, ports, env }: LinkedService): string[] {
  const prefix = alias.toUpperCase().replaceAll("-", "_");
  const sorted = ports.toSorted(tcpFirst);
  const [first] = sorted;
  const url = ({ port, protocol }: ContainerPort) => `${protocol}://${address}:${port}`;
  const nameOf = ({ port, protocol }: ContainerPort) => `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...sorted.flatMap((port) => [
      `${nameOf(port)}=${url(port)}`,
      `${nameOf(port)}_ADDR=${address}`,
      `${nameOf(port)}_PORT=${port.port}`,
      `${nameOf(port)}_PROTO=${port.protocol}`,
    ]),
    ...rowsOf(sorted).flatMap(([start, end]) => [
      `${nameOf(start)}_START=${url(start)}`,
      `${nameOf(start)}_PORT_START=${start.port}`,
      `${nameOf(start)}_END=${url(end)}`,
      `${nameOf(start)}_PORT_END=${end.port}`,
    ]),
    `${prefix}_NAME=/${asker}/${alias}`,
    ...env
      .filter((variable) => variable.includes("=") && !withheld.has(variable.slice(0, variable.indexOf("="))))
      .map((variable) => `${prefix}_ENV_${variable}`),
  ];
}

function tcpFirst(a: ContainerPort, b: ContainerPort): number {
  if (a.protocol === b.protocol) return a.port - b.port;
  if (a.protocol === "tcp" || b.protocol === "tcp") return a.protocol === "tcp" ? -1 : 1;
  return a.protocol < b.protocol ? -1 : 1;
}

/** First and last of each row of two or more ports that follow each other. */
function rowsOf(sorted: readonly ContainerPort[]): (readonly [ContainerPort, ContainerPort])[] {
  const rows: [ContainerPort, ContainerPort][] = [];
  for (const port of sorted) {
    const row = rows.at(-1);
    if (row && row[1].protocol === port.protocol && row[1].port + 1 === port.port) row[1] = port;
    else rows.push([port, port]);
  }
  return rows.filter(([start, end]) => start !== end);
}
