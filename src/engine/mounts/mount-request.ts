import { statSync } from "node:fs";
import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Propagation } from "../../runtime/types.ts";
import type { MountRequest } from "../config.ts";
import { checkLocalOptions } from "../volumes/local-options.ts";
import { volumeName } from "./bind-text.ts";
import { destinationOf } from "./path.ts";
import { defaultTmpfs, parseTmpfs } from "./tmpfs-options.ts";
import type { ContainerBind, ContainerMount, ContainerTmpfs, ContainerVolume } from "./types.ts";

/** One `--mount`. Throws `invalid` with dockerd's texts, `unsupported` for what Sampan lacks. */
export function parseMountRequest(request: MountRequest, fresh: () => string): ContainerMount {
  const common = {
    destination: destinationOf(request.Target, request.Target),
    readOnly: request.ReadOnly ?? false,
    mode: "",
  };
  switch (request.Type) {
    case "bind":
      return bind(request, common);
    case "volume":
      return volume(request, common, fresh);
    case "tmpfs":
      return tmpfs(request, common);
    case "image":
    case "cluster":
    case "npipe":
      throw new SampanError("unsupported", `Cannot honour Mounts: there are no mounts of type ${request.Type}`);
    default:
      throw new SampanError("invalid", `mount type unknown: "${request.Type}"`);
  }
}

type Common = Pick<ContainerMount, "destination" | "readOnly" | "mode">;

const propagations: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

function refuse(type: string, why: string): SampanError {
  return new SampanError("invalid", `invalid mount config for type "${type}": ${why}`);
}

function conflict(options: string): SampanError {
  return new SampanError("invalid", `mount options conflict: ${options}`);
}

function bind(request: MountRequest, common: Common): ContainerBind {
  const source = request.Source ?? "";
  const options = request.BindOptions ?? {};
  const { Propagation: propagation, NonRecursive, CreateMountpoint } = options;
  if (source === "") throw refuse("bind", "field Source must not be empty");
  if (request.VolumeOptions !== undefined) throw refuse("bind", "field VolumeOptions must not be specified");
  if (request.TmpfsOptions !== undefined) throw refuse("bind", "field TmpfsOptions must not be specified");
  if (!source.startsWith("/")) throw refuse("bind", `invalid mount path: '${source}' mount path must be absolute`);
  if (propagation && !propagations.includes(propagation))
    throw refuse("bind", `invalid propagation mode: ${propagation}`);
  // ReadOnlyForceRecursive forbids a fallback of dockerd's for kernels before 5.12; here there is none.
  const { ReadOnlyNonRecursive: writableBelow = false, ReadOnlyForceRecursive: forced = false } = options;
  if (writableBelow && !common.readOnly) throw conflict("!ReadOnly && BindOptions.ReadOnlyNonRecursive");
  if (forced && !common.readOnly) throw conflict("!ReadOnly && BindOptions.ReadOnlyForceRecursive");
  if (writableBelow && forced) throw conflict("ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive");
  if (!CreateMountpoint && statSync(source, { throwIfNoEntry: false }) === undefined) {
    throw refuse("bind", `bind source path does not exist: ${source}`);
  }
  return {
    ...common,
    type: "bind",
    source: posix.normalize(source),
    recursive: !(NonRecursive ?? false),
    propagation: (propagation as Propagation | undefined) || "rprivate",
    createSource: CreateMountpoint ?? false,
    ...(writableBelow && { writableBelow }),
  };
}

function volume(request: MountRequest, common: Common, fresh: () => string): ContainerVolume {
  const name = request.Source ?? "";
  const options = request.VolumeOptions;
  const driver = options?.DriverConfig;
  if (request.BindOptions !== undefined) throw refuse("volume", "field BindOptions must not be specified");
  if (request.TmpfsOptions !== undefined) throw refuse("volume", "field TmpfsOptions must not be specified");
  if (driver?.Name && driver.Name !== "local") {
    const plugin = `error looking up volume plugin ${driver.Name}: plugin ${JSON.stringify(driver.Name)} not found`;
    throw new SampanError("invalid", plugin);
  }
  checkLocalOptions(driver?.Options ?? {});
  const subpath = options?.Subpath ?? "";
  if (subpath.startsWith("/") || posix.normalize(`${subpath}/.`).startsWith("..")) {
    throw refuse("volume", "subpath must be a relative path within the volume");
  }
  return {
    ...common,
    type: "volume",
    name: name === "" ? fresh() : volumeName(name),
    anonymous: name === "",
    mode: "z",
    subpath,
    copy: !(options?.NoCopy ?? false),
    ...(options?.Labels && { labels: options.Labels }),
    ...(driver?.Options && { options: driver.Options }),
  };
}

function tmpfs(request: MountRequest, common: Common): ContainerTmpfs {
  const { SizeBytes: size, Mode: mode, Options } = request.TmpfsOptions ?? {};
  if ((request.Source ?? "") !== "") throw refuse("tmpfs", "field Source must not be specified");
  if (request.BindOptions !== undefined) throw refuse("tmpfs", "field BindOptions must not be specified");
  if (request.VolumeOptions !== undefined) throw refuse("tmpfs", "field VolumeOptions must not be specified");
  if (size !== undefined && size < 0) throw refuse("tmpfs", `invalid size: ${size}`);
  const words = parseTmpfs((Options ?? []).map((pair) => pair.join("=")).join(","));
  return {
    ...common,
    type: "tmpfs",
    options: {
      ...defaultTmpfs,
      ...words.options,
      ...(size && { size }),
      ...(mode !== undefined && mode !== 0 && { mode }),
    },
  };
}
