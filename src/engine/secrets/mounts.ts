import { SampanError } from "../../errors/index.ts";
import type { Mount, OwnFile } from "../../runtime/types.ts";
import type { HostConfig } from "../config.ts";
import type { SecretStore } from "./store.ts";
import type { SecretReference } from "./types.ts";

const directory = "/run/secrets";

/** What a request says about secrets, checked: with ids in place of names and every path complete. */
export function resolveSecrets(secrets: SecretStore, host: HostConfig): HostConfig {
  const asked = host.Secrets ?? [];
  if (asked.length === 0) return host;
  const resolved = asked.map((reference) => {
    const found = secrets.find(reference.Source);
    // Not "not-found": a client that is told that takes the image for missing, and pulls it.
    if (found === undefined) throw new SampanError("invalid", `secret not found: ${reference.Source}`);
    return { ...reference, Source: found.id, Target: targetOf(reference, found.name) };
  });
  const targets = new Set(resolved.map(({ Target }) => Target));
  if (targets.size < resolved.length) {
    throw new SampanError("invalid", "conflicting options: two secrets have the same target");
  }
  return { ...host, Secrets: resolved };
}

function targetOf({ Target, Source }: SecretReference, name: string): string {
  const target = Target || name;
  const path = target.startsWith("/") ? target : `${directory}/${target}`;
  const bad = path.endsWith("/") || path.split("/").some((part) => part === ".." || part === ".");
  if (bad || path.includes("\0")) throw new SampanError("invalid", `invalid target ${target} of secret ${Source}`);
  return path;
}

/** A tmpfs at /run/secrets, and a file for each secret; read now, and kept by the container's own memory alone. */
export function secretMounts(
  secrets: SecretStore,
  { Secrets = [] }: HostConfig,
): { mounts: Mount[]; files: OwnFile[] } {
  if (Secrets.length === 0) return { mounts: [], files: [] };
  const files = Secrets.map(({ Source, Target, UID, GID, Mode }): OwnFile => {
    const data = secrets.read(Source);
    if (data === undefined) throw new SampanError("not-found", `secret not found: ${Source}`);
    return { target: Target, secret: { data, uid: UID, gid: GID, mode: Mode }, text: "", readOnly: true };
  });
  const below = files.some(({ target }) => target.startsWith(`${directory}/`));
  const place: Mount = {
    type: "tmpfs",
    target: directory,
    readOnly: false,
    mode: 0o755,
    exec: false,
    suid: false,
    dev: false,
  };
  return { mounts: below ? [place] : [], files };
}
