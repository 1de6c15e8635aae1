import { release } from "node:os";
import { SampanError } from "../../errors/index.ts";
import { type IdMappings, isIdentity } from "../../runtime/user-namespace.ts";

const refusal = "Cannot give containers users of their own";

/** Throws `unsupported` where containers cannot have such users: only root may map ids, and overlayfs has to know of that. */
export function refuseUnable(mappings: IdMappings): void {
  if (process.getuid?.() !== 0) throw new SampanError("unsupported", `${refusal}: the daemon has to run as root`);
  if (isIdentity(mappings) || mapsLayers(release())) return;
  const why = `overlayfs maps the ids of layers since Linux 5.19, and this is ${release()}`;
  throw new SampanError("unsupported", `${refusal}: ${why}: use --userns=host or keep-id`);
}

/** Reads a release, as uname(2) gives it. */
export function mapsLayers(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  return major > 5 || (major === 5 && minor >= 19);
}
