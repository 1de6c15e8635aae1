import { resolve } from "node:path";
import type { BindOptions, MountRequest, TmpfsOptions, VolumeOptions } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "./csv.ts";
import { parseOption } from "./network.ts";
import { parseBool } from "./numbers.ts";
import { parseSize } from "./size.ts";

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
const types = new Set(["bind", "volume", "tmpfs"]);
const laterTypes = new Set(["image", "cluster", "npipe"]);
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
    bind(m).Propagation = value;
  },
  "bind-nonrecursive": (m, value) => {
    bind(m).NonRecursive = parseBool(value);
  },
  "bind-create-src": (m, value) => {
    bind(m).CreateMountpoint = parseBool(value);
  },
  "bind-recursive": (m, value) => {
    const options = bind(m);
    if (value === "disabled") options.NonRecursive = true;
    else if (value === "writable") options.ReadOnlyNonRecursive = true;
    else if (value === "readonly") options.ReadOnlyForceRecursive = true;
    else if (value !== "enabled") {
      throw invalid(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
    }
  },
  "volume-nocopy": (m, value) => {
    volume(m).NoCopy = parseBool(value);
  },
  "volume-subpath": (m, value) => {
    volume(m).Subpath = value;
  },
  "volume-label": (m, value) => {
    const [key, label] = parseOption(value);
    volume(m).Labels = { ...volume(m).Labels, [key]: label };
  },
  "volume-driver": (m, value) => {
    volume(m).DriverConfig = { ...volume(m).DriverConfig, Name: value };
  },
  "volume-opt": (m, value) => {
    const [key, option] = parseOption(value);
    const { DriverConfig } = volume(m);
    volume(m).DriverConfig = { ...DriverConfig, Options: { ...DriverConfig?.Options, [key]: option } };
  },
  "tmpfs-size": (m, value) => {
    tmpfs(m).SizeBytes = parseSize(value);
  },
  "tmpfs-mode": (m, value) => {
    if (!/^0?[0-7]{1,4}$/.test(value)) throw invalid(`invalid value for tmpfs-mode: ${value}`);
    tmpfs(m).Mode = Number.parseInt(value, 8);
  },
};

const mayStandAlone = new Set(["readonly", "bind-nonrecursive", "bind-create-src", "volume-nocopy"]);

/** `--mount type=bind,src=/a,dst=/b,readonly`: docker's comma-separated grammar, for bind mounts, volumes and tmpfs. */
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
  checkRecursion(mount);
  if (mount.Type === "tmpfs" && mount.Source !== undefined) throw invalid("cannot specify source for a tmpfs mount");
  return mount;
}

/** With docker's words. */
function checkRecursion({ ReadOnly, BindOptions: options = {} }: MountRequest): void {
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = options;
  const requires = (value: string, other: string) =>
    invalid(`option 'bind-recursive=${value}' requires '${other}' to be specified in conjunction`);
  if (ReadOnlyNonRecursive && !ReadOnly) throw requires("writable", "readonly");
  if (!ReadOnlyForceRecursive) return;
  if (!ReadOnly) throw requires("readonly", "readonly");
  if (Propagation !== "rprivate") throw requires("readonly", "bind-propagation=rprivate");
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
  if (types.has(type)) return type;
  if (laterTypes.has(type)) {
    throw invalid(`mounts of type ${type} are not in this version of Sampan yet: use type=bind, volume or tmpfs`);
  }
  throw invalid(`invalid mount type ${JSON.stringify(type)}: use type=bind, volume or tmpfs`);
}

function bind(mount: MountRequest): BindOptions {
  checkKind(mount, "bind");
  mount.BindOptions ??= {};
  return mount.BindOptions;
}

function volume(mount: MountRequest): VolumeOptions {
  checkKind(mount, "volume");
  mount.VolumeOptions ??= {};
  return mount.VolumeOptions;
}

function tmpfs(mount: MountRequest): TmpfsOptions {
  checkKind(mount, "tmpfs");
  mount.TmpfsOptions ??= {};
  return mount.TmpfsOptions;
}

function checkKind({ Type: type }: MountRequest, wanted: string): void {
  if (type !== wanted) throw invalid(`cannot mix '${wanted}-*' options with mount type '${type}'`);
}

function absoluteSource(source: string): string {
  return /^\.{1,2}(\/|$)/.test(source) ? resolve(source) : source;
}

/** `--tmpfs /path[:options]` as the API's map entry. */
export function parseTmpfs(text: string): [path: string, options: string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
