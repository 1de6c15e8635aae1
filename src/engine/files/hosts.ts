import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";

const fixed = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** The /etc/hosts of a container without a network of its own: itself by loopback, then what `--add-host` says. */
export function hostsFile(hostname: string, domainname: string, extra: readonly string[]): string {
  const names = domainname === "" ? hostname : `${hostname}.${domainname} ${hostname}`;
  const lines = [...fixed, `127.0.0.1\t${names}`, ...extra.map(extraLine)];
  return `${lines.join("\n")}\n`;
}

/** The machine's own /etc/hosts with `--add-host`'s lines, for `--network host`. */
export function machineHostsFile(machine: string, extra: readonly string[]): string {
  if (extra.length === 0) return machine;
  const newline = machine === "" || machine.endsWith("\n") ? "" : "\n";
  return `${machine}${newline}${extra.map(extraLine).join("\n")}\n`;
}

/** "name:address" or "name=address", an IPv6 address with or without brackets. Throws `invalid` with dockerd's text. */
export function parseExtraHost(text: string): { readonly name: string; readonly address: string } {
  const [, name = "", written = ""] = /^([^:=]*)[:=](.*)$/.exec(text) ?? [];
  const address = /^\[.*\]$/.test(written) ? written.slice(1, -1) : written;
  if (name === "") throw new SampanError("invalid", `bad format for add-host: ${JSON.stringify(text)}`);
  if (isIP(address) === 0)
    throw new SampanError("invalid", `invalid IP address in add-host: ${JSON.stringify(written)}`);
  return { name, address };
}

function extraLine(text: string): string {
  const { name, address } = parseExtraHost(text);
  return `${address}\t${name}`;
}
