import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Layout } from "../../src/storage/layout.ts";

/**
 * What is left on the machine of the daemon with this layout and its containers: one line for every process, mount,
 * cgroup and network link that carries the root's path, its run directory's path or its hash. Empty when all is clean.
 */
export function leftovers(layout: Layout): string[] {
  const marks = [layout.root, layout.run, `sampan${layout.suffix}`];
  return [...processes(marks), ...mounts(marks), ...cgroups(layout.suffix), ...links(layout.suffix)];
}

function processes(marks: readonly string[]): string[] {
  return marked(marks).map(({ pid, command }) => `process ${pid}: ${command}`);
}

/** The processes of the daemon with this layout, its containers' included. */
export function processesOf(layout: Layout): { readonly pid: number; readonly command: string }[] {
  return marked([layout.root, layout.run, `sampan${layout.suffix}`]);
}

function marked(marks: readonly string[]): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => isOurs(pid, marks))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }));
}

/** A process is the test's when its command, environment, cgroup or directories name the root. */
function isOurs(pid: string, marks: readonly string[]): boolean {
  if (isZombie(pid)) return false;
  const evidence = [
    read(`/proc/${pid}/cmdline`),
    read(`/proc/${pid}/cgroup`),
    ...variables(pid, ["SAMPAN_ROOT", "SAMPAN_RUN"]),
    ...["root", "cwd"].map((link) => readLink(`/proc/${pid}/${link}`)),
  ];
  return evidence.some((text) => marks.some((mark) => text.includes(mark)));
}

/** One that has ended and that its parent, perhaps not ours, has not waited for yet. */
function isZombie(pid: string): boolean {
  return /^State:\s+Z/m.test(read(`/proc/${pid}/status`));
}

function variables(pid: string, names: readonly string[]): string[] {
  return read(`/proc/${pid}/environ`)
    .split("\0")
    .filter((entry) => names.some((name) => entry.startsWith(`${name}=`)));
}

function mounts(marks: readonly string[]): string[] {
  return read("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => marks.some((mark) => line.includes(mark)))
    .map((line) => `mount ${line.split(" ")[4]}`);
}

function cgroups(suffix: string): string[] {
  return cgroupsOf(suffix).map((path) => `cgroup ${path}`);
}

/** The cgroups of the daemon of a root, and those in them: directories of every hierarchy. */
export function cgroupsOf(suffix: string): string[] {
  if (suffix === "") return [];
  const name = `sampan${suffix}`;
  // v1: one hierarchy per controller; v2: one for all; below whatever systemd slice
  const found = globSync([`/sys/fs/cgroup/${name}`, `/sys/fs/cgroup/*/${name}`, `/sys/fs/cgroup/*/*/${name}`]);
  return found.flatMap((path) => [path, ...globSync(`${path}/*/`)]);
}

function links(suffix: string): string[] {
  const hash = suffix.slice(1);
  if (hash === "") return [];
  return readdirSync("/sys/class/net")
    .filter((name) => name.includes(hash) || aliasOf(name).includes(hash))
    .map((name) => `network link ${name}`);
}

function aliasOf(link: string): string {
  const path = `/sys/class/net/${link}/ifalias`;
  return existsSync(path) ? read(path) : "";
}

/** What is gone when we look at it says nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
