import type { NetworkSettings } from "../../api/shapes/container.ts";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { compareNaturally } from "../format/natural.ts";
import { hostPort } from "../listings/ports.ts";

export default defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List port mappings or a specific mapping for the container",
  arity: { min: 1, max: 2 },
  options: {},
  run: async (context, [name = "", asked], _values) => {
    const { NetworkSettings: settings } = await context.client.containers.inspect(name);
    const lines = asked === undefined ? everyMapping(settings.Ports) : mappingsOf(settings.Ports, asked, name);
    for (const line of lines.toSorted(compareNaturally)) context.print(line);
    return 0;
  },
});

type Ports = NetworkSettings["Ports"];

function everyMapping(ports: Ports): string[] {
  return Object.keys(ports ?? {}).flatMap((port) => addresses(ports, port).map((address) => `${port} -> ${address}`));
}

function mappingsOf(ports: Ports, asked: string, name: string): string[] {
  const [number = "", protocol = "tcp"] = asked.split("/", 2);
  if (!/^\d+$/.test(number) || Number(number) > 65535) {
    const fault = /^\d+$/.test(number) ? "value out of range" : "invalid syntax";
    throw new ExitError(1, `Error: invalid port (${number}): parsing ${JSON.stringify(number)}: ${fault}`);
  }
  const found = addresses(ports, `${Number(number)}/${protocol}`);
  if (found.length === 0) throw new ExitError(1, `Error: No public port '${asked}' published for ${name}`, "not-found");
  return found;
}

function addresses(ports: Ports, port: string): string[] {
  return (ports?.[port] ?? []).map(({ HostIp, HostPort }) => hostPort(HostIp, HostPort));
}
