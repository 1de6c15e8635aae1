import { readFileSync } from "node:fs";
import type { OwnFile } from "../../runtime/types.ts";
import { hostsFile, machineHostsFile } from "../files/hosts.ts";
import { resolvConf } from "../files/resolv-conf.ts";
import type { ContainerRecord } from "../records/record.ts";

/**
 * /etc/hostname, hosts and resolv.conf of a container, made anew for every start: the machine's resolvers may have
 * changed. What the user mounts in their places stays.
 */
export function systemFiles({ config, hostConfig, mounts }: ContainerRecord): OwnFile[] {
  const extra = hostConfig.ExtraHosts ?? [];
  const hosts =
    hostConfig.NetworkMode === "host"
      ? machineHostsFile(readIfThere("/etc/hosts"), extra)
      : hostsFile(config.Hostname, config.Domainname, extra);
  const dns = { servers: hostConfig.Dns, search: hostConfig.DnsSearch, options: hostConfig.DnsOptions };
  const texts: Readonly<Record<string, string>> = {
    "/etc/resolv.conf": resolvConf(readIfThere("/etc/resolv.conf"), dns),
    "/etc/hostname": `${config.Hostname}\n`,
    "/etc/hosts": hosts,
  };
  const taken = new Set(mounts.map(({ destination }) => destination));
  return Object.entries(texts)
    .filter(([target]) => !taken.has(target))
    .map(([target, text]) => ({ target, text, readOnly: hostConfig.ReadonlyRootfs }));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
