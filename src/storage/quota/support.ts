import { readFileSync, statSync } from "node:fs";

/**
 * Whether the file system of `path` enforces project quotas: XFS mounted with `pquota`, ext4 made with the features quota and
 * project and mounted with `prjquota`. The kernel says so among the mount's options, in either case as "prjquota".
 */
export function hasProjectQuotas(path: string): boolean {
  return enforcesProjects(readFileSync("/proc/self/mountinfo", "utf8"), statSync(path).dev);
}

/** `mountinfo`: as of proc_pid_mountinfo(5); `device`: st_dev of a file there. */
export function enforcesProjects(mountinfo: string, device: number): boolean {
  const name = deviceName(device);
  return mountinfo.split("\n").some((line) => {
    const [mount = "", superblock = ""] = line.split(" - ");
    if (mount.split(" ")[2] !== name) return false;
    const options = superblock.split(" ").at(-1)?.split(",") ?? [];
    return options.includes("prjquota") || options.includes("pquota");
  });
}

/** "major:minor" of a number as stat(2) gives it (sysmacros.h). */
function deviceName(device: number): string {
  const major = Math.floor(device / 256) % 4096; // Linux has no larger ones
  const minor = (device % 256) + (Math.floor(device / 2 ** 20) % 4096) * 256;
  return `${major}:${minor}`;
}
