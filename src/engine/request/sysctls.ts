import { SampanError } from "../../errors/index.ts";
import { namespaceOfSysctl } from "../../runtime/sysctls.ts";
import type { IdRange } from "../../runtime/user-namespace.ts";
import type { HostConfig } from "../config.ts";
import { hasOwnNamespace } from "../networks/modes.ts";

/** As Docker has it: in a network of its own any user may listen on any port and send ICMP echoes. */
function ownNetwork(groups: readonly IdRange[]): Record<string, string> {
  return { "net.ipv4.ip_unprivileged_port_start": "0", ...pingGroups(groups) };
}

/** Both ends have to be groups that are there; no other is there than the range of the root group's tells. */
function pingGroups(groups: readonly IdRange[]): Record<string, string> {
  const range = groups.find(({ container }) => container === 0);
  if (range === undefined) return {};
  return { "net.ipv4.ping_group_range": `0 ${Math.min(range.size, everyGroup.size) - 1}` };
}

const everyGroup: IdRange = { container: 0, host: 0, size: 2 ** 31 };

/**
 * What is to be written below /proc/sys; `groups` are those that there are in the container. Throws `invalid` for settings
 * that would be the whole machine's.
 */
export function resolveSysctls(
  host: Pick<HostConfig, "Sysctls" | "NetworkMode" | "IpcMode">,
  groups: readonly IdRange[] = [everyGroup],
): Record<string, string> {
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
  return hasOwnNamespace(host.NetworkMode) ? { ...ownNetwork(groups), ...asked } : { ...asked };
}
