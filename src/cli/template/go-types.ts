/** What Go's types behind the API say, and its JSON does not. */

/** Fields that are pointers to something that need not be there. */
export const optional: ReadonlySet<string> = new Set(["Health", "Healthcheck", "SizeRw", "SizeRootFs", "UsageData"]);

const maps: ReadonlySet<string> = new Set([
  ...["Annotations", "DriverOpts", "ExposedPorts", "Labels", "Networks", "Options", "PortBindings", "Ports"],
  ...["StorageOpt", "Sysctls", "Tmpfs", "Volumes", "Containers"],
]);

const lists: ReadonlySet<string> = new Set([
  ...["Aliases", "Binds", "CapAdd", "CapDrop", "Cmd", "DNSNames", "DeviceCgroupRules", "DeviceRequests", "Devices"],
  ...[
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "ExtraHosts",
    "GroupAdd",
    "Links",
    "MaskedPaths",
  ],
  ...["OnBuild", "ReadonlyPaths", "RepoDigests", "RepoTags", "SecurityOpt", "Shell", "Ulimits", "VolumesFrom"],
]);

/** Whether a field is a map of the user's own keys. */
export function isMap(field: string): boolean {
  return maps.has(field);
}

/** How Go prints the nil of a field. */
export function nilText(field: string | undefined): string {
  if (field !== undefined && maps.has(field)) return "map[]";
  return field !== undefined && lists.has(field) ? "[]" : "<nil>";
}
