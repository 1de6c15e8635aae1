/** What `--dns`, `--dns-search` and `--dns-option` say. */
export interface DnsSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/**
 * The /etc/resolv.conf of a container: the machine's (resolv.conf(5)), each kind of line replaced by what was asked
 * for. A search of "." means none.
 */
export function resolvConf(machine: string, { servers, search, options }: DnsSettings): string {
  const lines = machine.split("\n");
  const kept = lines.filter((line) => {
    const [word = ""] = line.trim().split(/\s/);
    if (word === "nameserver") return servers.length === 0;
    if (word === "search" || word === "domain") return search.length === 0;
    if (word === "options") return options.length === 0;
    return word !== "";
  });
  const domains = search.filter((domain) => domain !== ".");
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(domains.length > 0 ? [`search ${domains.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    ...kept,
    "",
  ].join("\n");
}
