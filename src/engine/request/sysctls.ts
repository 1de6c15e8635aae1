import { SampanError } from "../../errors/index.ts";
import { namespaceOfSysctl } from "../../runtime/sysctls.ts";
import type { HostConfig } from "../config.ts";
import { hasOwnNamespace } from "../networks/modes.ts";

/** As Docker has it: in a network of its own any user may listen on any port and send ICMP echoes. */
const ownNetwork: Readonly<Record<string, string>> = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
};

/** What is to be written below /proc/sys. Throws `invalid` for settings that would be the whole machine's. */
export function resolveSysctls(host: Pick<HostConfig, "Sysctls" | "NetworkMode" | "IpcMode">): Record<string, string> {
  const asked = host.Sysctls ?? {};
  for (const name of Object.keys(asked)) {
    const namespace = namespaceOfSysctl(name);
    if (namespace !== "network" && namespace !== "ipc")
      throw new SampanError("invalid", `sysctl '${name}' is not allowed: it is not the container's own`);
    if (namespace === "network" && host.NetworkMode === "host") {
      throw new SampanError("invalid", `sysctl '${name}' not allowed in host network namespace`);
    }
    if (namespace === "ipc" && host.IpcMode === "host") {
      throw new SampanError("invalid", `sysctl '${name}' not allowed in host ipc namespace`);
    }
  }
  return hasOwnNamespace(host.NetworkMode) ? { ...ownNetwork, ...asked } : { ...asked };
}
