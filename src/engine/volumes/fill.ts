import { lstat, readdir } from "node:fs/promises";
import type { ContainerFiles } from "../container/files.ts";
import { rootOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { copyTree } from "./copy-tree.ts";
import { enterVolumes, leaveVolumes } from "./use.ts";
import { RootView } from "./view.ts";

type Recorded = Pick<ContainerRecord, "id" | "layers" | "mounts" | "hostConfig">;

/** Makes a container's volumes, and fills those that are empty with what the image has in their place, as Docker does. */
export async function makeVolumes(parts: EngineParts, record: Recorded, files: ContainerFiles): Promise<void> {
  const empty: Empty[] = [];
  for (const mount of record.mounts) {
    if (mount.type !== "volume") continue;
    const { name, labels = {}, options = {} } = mount;
    if (parts.volumes.ensure(name, mount.anonymous, { labels, options })) {
      parts.events.emit("volume", "create", name, { driver: "local" });
    }
    const directory = parts.volumes.directory(mount.name);
    if (!mount.copy || mount.subpath !== "") continue;
    if ((await readdir(directory)).length === 0) empty.push({ directory, destination: mount.destination });
  }
  if (empty.length === 0) return;
  await enterVolumes(parts, record);
  try {
    await fill(parts, record, files, empty);
  } finally {
    await leaveVolumes(parts, record);
  }
}

type Empty = { readonly directory: string; readonly destination: string };

async function fill(
  parts: EngineParts,
  record: Recorded,
  files: ContainerFiles,
  empty: readonly Empty[],
): Promise<void> {
  using view = await RootView.open(parts.executor, rootOf(parts, record, files), parts.kernel);
  for (const { directory, destination } of empty) {
    const source = await view.resolve(destination);
    if (source === undefined || !(await lstat(source)).isDirectory()) continue;
    // One that is a file system of its own may have something in it.
    if ((await readdir(directory)).length === 0) await copyTree(parts.executor, source, directory);
  }
}
