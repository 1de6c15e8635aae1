import { resolve } from "node:path";
import type { BindOptions, MountRequest, TmpfsOptions } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "./csv.ts";
import { parseBool } from "./numbers.ts";
import { parseSize } from "./size.ts";

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
const laterTypes = new Set(["volume", "image", "cluster", "npipe"]);
const aliases: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

type Apply = (mount: MountRequest, value: string) => void;

/** The keys of --mount and what each does to the mount. */
const keys: Readonly<Record<string, Apply>> = {
  type: () => {},
  source: (m, value) => {
    m.Source = m.Type === "bind" ? absoluteSource(value) : value;
  },
  target: (m, value) => {
    m.Target = value;
  },
  readonly: (m, value) => {
    m.ReadOnly = parseBool(value);
  },
  consistency: (m, value) => {
    m.Consistency = value.toLowerCase();
  },
  "bind-propagation": (m, value) => {
    if (!propagations.has(value)) throw invalid(`invalid value for bind-propagation: ${value}`);
    bind(m, "bind-propagation").Propagation = value;
  },
  "bind-nonrecursive": (m, value) => {
    bind(m, "bind-nonrecursive").NonRecursive = parseBool(value);
  },
  "bind-create-src": (m, value) => {
    bind(m, "bind-create-src").CreateMountpoint = parseBool(value);
  },
  "bind-recursive": (m, value) => {
    const options = bind(m, "bind-recursive");
    if (value === "disabled") options.NonRecursive = true;
    else if (value === "writable") options.ReadOnlyNonRecursive = true;
    else if (value === "readonly") options.ReadOnlyForceRecursive = true;
    else if (value !== "enabled") {
      throw invalid(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
    }
  },
  "tmpfs-size": (m, value) => {
    tmpfs(m, "tmpfs-size").SizeBytes = parseSize(value);
  },
  "tmpfs-mode": (m, value) => {
    if (!/^0?[0-7]{1,4}$/.test(value)) throw invalid(`invalid value for tmpfs-mode: ${value}`);
    tmpfs(m, "tmpfs-mode").Mode = Number.parseInt(value, 8);
  },
};

const mayStandAlone = new Set(["readonly", "bind-nonrecursive", "bind-create-src"]);

/** `--mount type=bind,src=/a,dst=/b,readonly`: docker's comma-separated grammar, for bind and tmpfs mounts. */
export function parseMount(text: string): MountRequest {
  const pairs = parseCsv(text).map(parsePair);
  const mount: MountRequest = { Type: mountType(pairs), Target: "" };
  for (const { key, value, field } of pairs) {
    const apply = keys[key];
    if (apply === undefined) throw invalid(`unexpected key '${key}' in '${field}'`);
    apply(mount, value);
  }
  if (mount.Target === "") throw invalid("target is required");
  if (mount.Type === "bind" && mount.Source === undefined) throw invalid("source is required for a bind mount");
  if (mount.Type === "tmpfs" && mount.Source !== undefined) throw invalid("cannot specify source for a tmpfs mount");
  return mount;
}

interface Pair {
  readonly key: string;
  readonly value: string;
  readonly field: string;
}

function parsePair(field: string): Pair {
  const at = field.indexOf("=");
  const written = (at < 0 ? field : field.slice(0, at)).toLowerCase();
  const key = aliases[written] ?? written;
  if (at >= 0) return { key, value: field.slice(at + 1), field };
  if (!mayStandAlone.has(key)) throw invalid(`invalid field '${field}' must be a key=value pair`);
  return { key, value: "true", field };
}

function mountType(pairs: readonly Pair[]): MountRequest["Type"] {
  const type = pairs.findLast(({ key }) => key === "type")?.value.toLowerCase() ?? "volume";
  if (type === "bind" || type === "tmpfs") return type;
  if (laterTypes.has(type)) {
    throw invalid(`mounts of type ${type} are not in this version of Sampan yet: use type=bind or type=tmpfs`);
  }
  throw invalid(`invalid mount type ${JSON.stringify(type)}: use type=bind or type=tmpfs`);
}

function bind(mount: MountRequest, key: string): BindOptions {
  if (mount.Type !== "bind") throw invalid(`cannot mix '${key}' with mount type '${mount.Type}'`);
  mount.BindOptions ??= {};
  return mount.BindOptions;
}

function tmpfs(mount: MountRequest, key: string): TmpfsOptions {
  if (mount.Type !== "tmpfs") throw invalid(`cannot mix '${key}' with mount type '${mount.Type}'`);
  mount.TmpfsOptions ??= {};
  return mount.TmpfsOptions;
}

function absoluteSource(source: string): string {
  return /^\.{1,2}(\/|$)/.test(source) ? resolve(source) : source;
}

/** `--tmpfs /path[:options]` as the API's map entry. */
export function parseTmpfs(text: string): [path: string, options: string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
