import { join } from "node:path";
import { destinationOf } from "../mounts/path.ts";
import type { ContainerMount } from "../mounts/types.ts";
import { withShownLinks } from "../networks/links.ts";
import { exposedPorts } from "../networks/ports.ts";
import { networkViewOf } from "../networks/view.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { statusText } from "../status-text.ts";
import { rfc3339 } from "../time.ts";
import type { ContainerView, MountPoint } from "../types.ts";
import type { Volumes } from "../volumes/volumes.ts";
import type { Container } from "./live.ts";

/** A container as seen now. */
export function viewOf(parts: EngineParts, container: Container, now = Date.now()): ContainerView {
  const { record, files, execIds } = container;
  const state = container.view();
  return {
    id: record.id,
    name: record.name,
    createdAt: rfc3339(record.createdAt),
    imageId: record.imageId,
    image: record.config.Image,
    platform: record.platform,
    path: record.path,
    args: record.args,
    state,
    statusText: statusText(state, now),
    config: record.config,
    hostConfig: withShownLinks(parts, record),
    mounts: record.mounts.flatMap((mount) => (isTmpfsOption(mount, record) ? [] : mountPoint(mount, parts.volumes))),
    network: networkViewOf(parts, container),
    exposedPorts: exposedPorts(record.config),
    restartCount: container.state.restarts,
    execIds: [...execIds],
    logPath: record.hostConfig.LogConfig.Type === "none" ? "" : files.log,
    // They are the container's own, in its memory: the machine has no path to them.
    hostnamePath: "",
    hostsPath: "",
    resolvConfPath: "",
  };
}

/** As Docker, `--tmpfs` is not listed: it is in HostConfig.Tmpfs. */
function isTmpfsOption({ type, destination }: ContainerMount, { hostConfig }: ContainerRecord): boolean {
  return (
    type === "tmpfs" && Object.keys(hostConfig.Tmpfs ?? {}).some((path) => destinationOf(path, path) === destination)
  );
}

function mountPoint(mount: ContainerMount, volumes: Volumes): MountPoint[] {
  const common = { Destination: mount.destination, Mode: mount.mode, RW: !mount.readOnly };
  switch (mount.type) {
    case "bind":
      return [{ Type: "bind", Source: mount.source, ...common, Propagation: mount.propagation }];
    case "volume": {
      const Source = join(volumes.directory(mount.name), mount.subpath);
      return [{ Type: "volume", Name: mount.name, Source, ...common, Driver: "local", Propagation: "" }];
    }
    case "tmpfs":
      return [{ Type: "tmpfs", Source: "", ...common, Propagation: "" }];
  }
}
