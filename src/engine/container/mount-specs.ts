import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { BindMount, Mount } from "../../runtime/types.ts";
import { checkPropagation } from "../mounts/shared-sources.ts";
import type { ContainerMount } from "../mounts/types.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { Volumes } from "../volumes/volumes.ts";

/** All mounts of a container that is about to start, besides its root, its own files and the kernel's file systems. */
export function mountSpecs(record: ContainerRecord, volumes: Volumes): Mount[] {
  const memory = record.hostConfig.IpcMode === "host" ? [sharedMemory] : [];
  const all = [...memory, ...record.mounts.map((mount) => mountSpec(mount, volumes))];
  return all.sort((a, b) => depth(a.target) - depth(b.target));
}

/** Parents are mounted before what lies in them. */
function depth(path: string): number {
  return path.split("/").length;
}

const sharedMemory: BindMount = {
  type: "bind",
  target: "/dev/shm",
  source: "/dev/shm",
  sourceIsDirectory: true,
  readOnly: false,
  recursive: true,
  propagation: "rprivate",
};

function mountSpec(mount: ContainerMount, volumes: Volumes): Mount {
  const { destination: target, readOnly } = mount;
  switch (mount.type) {
    case "tmpfs":
      return { type: "tmpfs", target, readOnly, ...mount.options };
    case "bind": {
      const { source, recursive, propagation, createSource, writableBelow } = mount;
      const sourceIsDirectory = inspect(source, createSource);
      checkPropagation(source, propagation);
      return {
        type: "bind",
        target,
        readOnly,
        source,
        recursive,
        propagation,
        sourceIsDirectory,
        ...(writableBelow && { writableBelow }),
      };
    }
    case "volume": {
      const within = volumes.directory(mount.name);
      const source = join(within, mount.subpath);
      const { labels = {}, options = {} } = mount;
      volumes.ensure(mount.name, mount.anonymous, { labels, options });
      return {
        type: "bind",
        target,
        readOnly,
        source,
        recursive: true,
        propagation: "rprivate",
        sourceIsDirectory: mount.subpath === "" || isDirectory(source),
        ...(mount.subpath !== "" && { within, subpath: mount.subpath }),
      };
    }
  }
}

/** Whether the part of a volume that is wanted is a directory; it has to be there. */
function isDirectory(source: string): boolean {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory();
  throw new SampanError("invalid", `cannot access path ${source}: lstat ${source}: no such file or directory`);
}

/** Whether the source is a directory; a missing one is made one, or is an error. */
function inspect(source: string, create: boolean): boolean {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory();
  if (!create) {
    throw new SampanError(
      "invalid",
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    );
  }
  try {
    mkdirSync(source, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new SampanError(
      "invalid",
      `error while creating mount source path '${source}': ${(cause as Error).message}`,
      { cause },
    );
  }
  return true;
}
