import { enterScope } from "../../cgroups/systemd/scope.ts";
import { SampanError } from "../../errors/index.ts";
import type { OciLinux } from "../config/linux.ts";

/** With `--systemd-cgroup`, `linux.cgroupsPath` is "SLICE:PREFIX:NAME", each of which may be left out. */
export function scopeOf(cgroupsPath: string | undefined, id: string): { unit: string; slice: string } {
  const parts = (cgroupsPath || `:sampan:${id}`).split(":");
  const [slice = "", prefix = "", name = ""] = parts;
  const wrong = (why: string) => new SampanError("invalid", `linux.cgroupsPath: ${cgroupsPath}: ${why}`);
  if (parts.length !== 3 || name === "") throw wrong("with --systemd-cgroup it is SLICE:PREFIX:NAME");
  if (name.endsWith(".slice"))
    throw new SampanError("unsupported", "linux.cgroupsPath: a container is a scope, no slice");
  if (slice !== "" && !slice.endsWith(".slice")) throw wrong(`${slice} does not end with .slice`);
  const unit = `${prefix === "" ? "" : `${prefix}-`}${name}.scope`;
  if (!/^[A-Za-z0-9:_.\\-]+$/.test(unit)) throw wrong(`${unit} is not the name of a unit`);
  return { unit, slice: slice || (process.geteuid?.() === 0 ? "system.slice" : "user.slice") };
}

/**
 * Has systemd make a scope for the container, and leave it to us. The container's cgroup, which is the answer, is below the scope's: systemd
 * writes its own settings to that one whenever it is reloaded.
 */
export async function placeInScope(linux: OciLinux | undefined, id: string): Promise<string> {
  const scope = scopeOf(linux?.cgroupsPath, id);
  return `${await enterScope({ ...scope, description: `container ${id} (sampan-runtime)` })}/container`;
}
