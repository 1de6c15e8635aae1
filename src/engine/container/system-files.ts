import { readFileSync, writeFileSync } from "node:fs";
import { hostsFile, machineHostsFile } from "../files/hosts.ts";
import { resolvConf } from "../files/resolv-conf.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { ContainerFiles } from "./files.ts";

/** Writes hostname, hosts and resolv.conf anew, as every start does: the machine's resolvers may have changed. */
export function writeSystemFiles({ config, hostConfig }: ContainerRecord, files: ContainerFiles): void {
  const extra = hostConfig.ExtraHosts ?? [];
  const hosts =
    hostConfig.NetworkMode === "host"
      ? machineHostsFile(readIfThere("/etc/hosts"), extra)
      : hostsFile(config.Hostname, config.Domainname, extra);
  const dns = { servers: hostConfig.Dns, search: hostConfig.DnsSearch, options: hostConfig.DnsOptions };
  writeFileSync(files.hostname, `${config.Hostname}\n`);
  writeFileSync(files.hosts, hosts);
  writeFileSync(files.resolvConf, resolvConf(readIfThere("/etc/resolv.conf"), dns));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
