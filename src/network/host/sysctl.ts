import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";

/** Settings of the daemon's own network namespace: /proc/sys/net shows that of the process that opens it. */
const root = "/proc/sys/net";

/** "ipv4/ip_forward" → "1"; undefined where the kernel has no such setting. */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`${root}/${path}`, "latin1").trim();
  } catch {
    return undefined;
  }
}

/** Writes a setting unless it is so already. Throws `denied` where /proc/sys is read-only. */
export function writeSysctl(path: string, value: string, why: string): void {
  const is = readSysctl(path);
  if (is === value) return;
  try {
    writeFileSync(`${root}/${path}`, value);
  } catch (cause) {
    const name = `net.${path.replaceAll("/", ".")}`;
    const was = is === undefined ? "there is no such setting" : `it is ${is}`;
    throw new SampanError(
      "denied",
      `Cannot ${why}: cannot set ${name} to ${value}, ${was}; set it before Sampan starts`,
      {
        cause,
      },
    );
  }
}

/** Whether the machine has a link of this name: the cheapest way to know. */
export function hasLink(name: string): boolean {
  return existsSync(`${root}/ipv4/conf/${name}/forwarding`);
}
