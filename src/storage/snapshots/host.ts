import { lstatSync, realpathSync, type Stats } from "node:fs";
import type { Layout } from "../layout.ts";
import type { PreparedDirectory } from "./types.ts";

/** Of the machine's directories these are empty in `sampan/host`: they are its running system, not its files. */
const machineState = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/** The file system that a container of `sampan/host` stands on. */
export interface HostLayers {
  readonly lower: readonly string[];
  readonly prepared: readonly PreparedDirectory[];
}

/**
 * The machine's own root file system as a layer, without what is mounted in it. What must not be seen is hidden by
 * opaque directories in the upper directory: a layer of its own between "/" and the upper one is refused by overlayfs
 * (ELOOP, "overlapping lowerdir path") unless it is on another file system than "/".
 */
export function hostLayers(layout: Pick<Layout, "root" | "run">): HostLayers {
  const hidden = [...machineState, layout.root, layout.run].map(realPath).filter((path) => path !== undefined);
  return { lower: ["/"], prepared: hidingDirectories(hidden, (path) => lstatSync(path)) };
}

/** The opaque directories that hide `hidden`, absolute paths without links, and the directories these lie in. */
export function hidingDirectories(
  hidden: readonly string[],
  statOf: (path: string) => Pick<Stats, "mode" | "uid" | "gid">,
): PreparedDirectory[] {
  const opaque = new Set(hidden.filter((path) => path !== "/"));
  const made = new Map<string, PreparedDirectory>();
  for (const path of opaque) {
    const parts = path.slice(1).split("/");
    for (let count = 1; count <= parts.length; count++) {
      const relative = parts.slice(0, count).join("/");
      const isOpaque = opaque.has(`/${relative}`);
      if (!made.has(relative)) {
        const { mode, uid, gid } = statOf(`/${relative}`);
        made.set(relative, { path: relative, mode: mode & 0o7777, uid, gid, opaque: isOpaque });
      }
      // What lies in a hidden directory is hidden with it.
      if (isOpaque) break;
    }
  }
  return [...made.values()];
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
