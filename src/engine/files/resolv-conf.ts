import { isIP } from "node:net";
import { dnsAddress } from "../../network/dns/types.ts";

/** What `--dns`, `--dns-search` and `--dns-option` say. */
export interface DnsSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** When the machine's resolvers are all its own, and nobody has named others: dockerd's choice. */
const publicServers: readonly string[] = ["8.8.8.8", "8.8.4.4"];

/**
 * The /etc/resolv.conf of a container that shares the machine's network: the machine's (resolv.conf(5)), each kind of line
 * replaced by what was asked for. A search of "." means none.
 */
export function machineResolvConf(machine: string, asked: DnsSettings): string {
  return compose(asked, keptLines(machine, asked));
}

/** That of a container with a network of its own: resolvers at the machine's loopback are out of its reach. */
export function bridgedResolvConf(machine: string, asked: DnsSettings): string {
  const kept = keptLines(machine, asked).filter((line) => !isLoopback(serverOf(line) ?? ""));
  const none = asked.servers.length === 0 && !kept.some((line) => serverOf(line) !== undefined);
  return compose(none ? { ...asked, servers: publicServers } : asked, kept);
}

/**
 * That of a container with name service: it asks us, and we ask the servers that were asked for. Names without a dot are
 * containers' names: they are not tried in the search domains first.
 */
export function namedResolvConf(machine: string, asked: DnsSettings): string {
  const kept = keptLines(machine, asked).filter((line) => serverOf(line) === undefined);
  const given = asked.options.length > 0 ? asked.options : optionsOf(kept);
  const options = given.some((option) => option.startsWith("ndots:")) ? given : [...given, "ndots:0"];
  const others = kept.filter((line) => wordOf(line) !== "options");
  return compose({ ...asked, servers: [dnsAddress], options }, others);
}

/** `--dns-option ndots:1` or more: names without a dot are asked of others in the search domains only, as dockerd has it. */
export function asksForDots(options: readonly string[]): boolean {
  return options.some((option) => Number(/^ndots:(\d+)$/.exec(option)?.[1] ?? 0) > 0);
}

function compose({ servers, search, options }: DnsSettings, kept: readonly string[]): string {
  const domains = search.filter((domain) => domain !== ".");
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(domains.length > 0 ? [`search ${domains.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    ...kept,
    "",
  ].join("\n");
}

/** The machine's lines of the kinds that were not asked for. */
function keptLines(machine: string, { servers, search, options }: DnsSettings): string[] {
  return machine.split("\n").filter((line) => {
    const word = wordOf(line);
    if (word === "nameserver") return servers.length === 0;
    if (word === "search" || word === "domain") return search.length === 0;
    if (word === "options") return options.length === 0;
    return word !== "";
  });
}

function wordOf(line: string): string {
  return line.trim().split(/\s/, 1)[0] ?? "";
}

function serverOf(line: string): string | undefined {
  const [word, server = ""] = line.trim().split(/\s+/);
  return word === "nameserver" ? server : undefined;
}

function optionsOf(lines: readonly string[]): string[] {
  return lines.filter((line) => wordOf(line) === "options").flatMap((line) => line.trim().split(/\s+/).slice(1));
}

function isLoopback(address: string): boolean {
  return (isIP(address) === 4 && address.startsWith("127.")) || address === "::1";
}
