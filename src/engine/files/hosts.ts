import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";

/** A line of /etc/hosts: hosts(5). */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const fixed = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** What `--add-host` may say instead of an address: one by which the machine is reached. */
export const hostGateway = "host-gateway";

/** The /etc/hosts of a container with a network namespace of its own. */
export function hostsFile(entries: readonly HostsEntry[]): string {
  return `${[...fixed, ...entries.map(hostsLine)].join("\n")}\n`;
}

/** The machine's own /etc/hosts and more, for `--network host`. */
export function machineHostsFile(machine: string, entries: readonly HostsEntry[]): string {
  if (entries.length === 0) return machine;
  const newline = machine === "" || machine.endsWith("\n") ? "" : "\n";
  return `${machine}${newline}${entries.map(hostsLine).join("\n")}\n`;
}

/** The text without the lines of some entries, and with those of others; what somebody else has written stays. */
export function editHosts(
  text: string,
  { remove, add }: { readonly remove: readonly HostsEntry[]; readonly add: readonly HostsEntry[] },
): string {
  const gone = new Set(remove.map(hostsLine));
  const kept = text.split("\n").filter((line) => line !== "" && !gone.has(line));
  return `${[...kept, ...add.map(hostsLine)].join("\n")}\n`;
}

/**
 * The text with other addresses for the first two names that all entries have: in place of the lines that they have in it,
 * or behind the others.
 */
export function readdressHosts(text: string, entries: readonly HostsEntry[]): string {
  const key = entries[0]?.names.slice(0, 2).join(" ");
  const lines = text.split("\n").filter((line) => line !== "");
  const isOld = (line: string) => line.split("\t")[1]?.split(" ").slice(0, 2).join(" ") === key;
  const at = lines.findIndex(isOld);
  const before = lines.slice(0, at === -1 ? lines.length : at);
  const after = lines.slice(before.length).filter((line) => !isOld(line));
  return `${[...before, ...entries.map(hostsLine), ...after].join("\n")}\n`;
}

/** "name:address" or "name=address", an IPv6 address with or without brackets. Throws `invalid` with dockerd's text. */
export function parseExtraHost(text: string): { readonly name: string; readonly address: string } {
  const [, name = "", written = ""] = /^([^:=]*)[:=](.*)$/.exec(text) ?? [];
  const address = /^\[.*\]$/.test(written) ? written.slice(1, -1) : written;
  if (name === "") throw new SampanError("invalid", `bad format for add-host: ${JSON.stringify(text)}`);
  if (isIP(address) === 0 && address !== hostGateway)
    throw new SampanError("invalid", `invalid IP address in add-host: ${JSON.stringify(written)}`);
  return { name, address };
}

function hostsLine({ address, names }: HostsEntry): string {
  return `${address}\t${names.join(" ")}`;
}
