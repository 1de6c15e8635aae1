import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Propagation } from "../../runtime/types.ts";
import { destinationOf } from "./path.ts";
import type { ContainerMount } from "./types.ts";

const propagations: readonly Propagation[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
/** Modes that mean something elsewhere (SELinux, Docker Desktop) and nothing here. */
const harmless = ["z", "Z", "consistent", "cached", "delegated"];

/**
 * One `-v`: "/host:/ctr[:modes]" or "volume:/ctr[:modes]"; a destination alone is an anonymous volume, called `fresh()`.
 * Throws `invalid` with dockerd's texts.
 */
export function parseBind(text: string, fresh: () => string): ContainerMount {
  const parts = text.split(":");
  const [first = "", second, modes] = parts;
  if (parts.length > 3 || first === "") throw new SampanError("invalid", `invalid volume specification: '${text}'`);
  if (second === undefined) return volume({ name: fresh(), anonymous: true, destination: first, mode: "" }, text);
  const mode = modes ?? "";
  if (!first.startsWith("/"))
    return volume({ name: volumeName(first), anonymous: false, destination: second, mode }, text);
  const words = parseModes(mode, text, ["nocopy"]);
  return {
    type: "bind",
    source: clean(first),
    destination: destinationOf(second, text),
    readOnly: words.includes("ro"),
    mode,
    recursive: true,
    propagation: propagations.find((propagation) => words.includes(propagation)) ?? "rprivate",
    createSource: true,
  };
}

interface VolumeText {
  readonly name: string;
  readonly anonymous: boolean;
  readonly destination: string;
  readonly mode: string;
}

function volume({ name, anonymous, destination, mode }: VolumeText, text: string): ContainerMount {
  const words = parseModes(mode, text, propagations);
  const readOnly = words.includes("ro");
  return {
    type: "volume",
    name,
    anonymous,
    destination: destinationOf(destination, text),
    readOnly,
    mode: mode || "z",
    subpath: "",
    copy: !words.includes("nocopy"),
  };
}

function parseModes(mode: string, text: string, excluded: readonly string[]): string[] {
  if (mode === "") return text.split(":").length === 3 ? refuse(mode) : [];
  const words = mode.split(",");
  const known = ["ro", "rw", "nocopy", ...harmless, ...propagations];
  const groups: readonly (readonly string[])[] = [["ro", "rw"], ["z", "Z"], propagations];
  const twice = groups.some((group) => words.filter((word) => group.includes(word)).length > 1);
  if (twice || words.some((word) => !known.includes(word) || excluded.includes(word))) refuse(mode);
  return words;
}

function refuse(mode: string): never {
  throw new SampanError("invalid", `invalid mode: ${mode}`);
}

function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** A name as dockerd's local driver takes it. */
export function volumeName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name;
  if (name.length === 1) {
    const least = "names should be at least two alphanumeric characters";
    throw new SampanError("invalid", `create ${name}: volume name is too short, ${least}`);
  }
  const allowed = `only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`;
  const help = "If you intended to pass a host directory, use absolute path";
  throw new SampanError(
    "invalid",
    `create ${name}: "${name}" includes invalid characters for a local volume name, ${allowed}. ${help}`,
  );
}
