import { SampanError } from "../../errors/index.ts";
import type { ContainerConfig, HostConfig } from "../config.ts";
import { newId } from "../identity/ids.ts";
import { parseBind } from "./bind-text.ts";
import { parseMountRequest } from "./mount-request.ts";
import { destinationOf } from "./path.ts";
import { parseTmpfs } from "./tmpfs-options.ts";
import type { ContainerMount } from "./types.ts";

type Asked = Pick<HostConfig, "Binds" | "Mounts" | "Tmpfs" | "VolumesFrom">;

/**
 * All mounts a container asks for, parents before children. `-v`, `--mount` and `--tmpfs` must not name a destination
 * twice; they win over `--volumes-from`, and that over the volumes the image declares. `mountsOf` knows other containers'.
 */
export function resolveMounts(
  host: Asked,
  volumes: ContainerConfig["Volumes"],
  mountsOf: (container: string) => readonly ContainerMount[],
): ContainerMount[] {
  const mounts = new Map<string, ContainerMount>();
  const named = [
    ...(host.Binds ?? []).map((text) => parseBind(text, newId)),
    ...(host.Mounts ?? []).map((request) => parseMountRequest(request, newId)),
    ...Object.entries(host.Tmpfs ?? {}).map(([path, options]) => tmpfs(path, options)),
  ];
  for (const mount of named) {
    if (mounts.has(mount.destination)) {
      throw new SampanError("invalid", `Duplicate mount point: ${mount.destination}`);
    }
    mounts.set(mount.destination, mount);
  }
  const inherited = (host.VolumesFrom ?? []).flatMap((text) => volumesFrom(text, mountsOf));
  const declared = Object.keys(volumes ?? {}).map((path) => parseBind(destinationOf(path, path), newId));
  for (const mount of [...inherited, ...declared]) {
    if (!mounts.has(mount.destination)) mounts.set(mount.destination, mount);
  }
  return [...mounts.values()].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function depth(path: string): number {
  return path.split("/").length;
}

function tmpfs(path: string, text: string): ContainerMount {
  const { options, readOnly } = parseTmpfs(text);
  return { type: "tmpfs", destination: destinationOf(path, path), readOnly, mode: text, options };
}

/** "container", "container:ro", "container:rw". */
function volumesFrom(text: string, mountsOf: (container: string) => readonly ContainerMount[]): ContainerMount[] {
  const [container = "", mode, ...rest] = text.split(":");
  if (container === "")
    throw new SampanError("invalid", `malformed volumes-from specification: ${JSON.stringify(text)}`);
  if (rest.length > 0 || (mode !== undefined && !["ro", "rw", "z", "Z"].includes(mode))) {
    throw new SampanError("invalid", `invalid mode for volumes-from: ${mode}`);
  }
  return mountsOf(container)
    .filter(({ type }) => type !== "tmpfs")
    .map((mount) => ({ ...mount, readOnly: mode === "ro" || mount.readOnly }));
}
