import { never } from "../../engine/time.ts";
import type { ImageDefaults as Defaults, StoredImage } from "../../images/types.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import type { ImageDefaults, ImageHistoryItem, ImageInspect, ImageSummary } from "../shapes/image.ts";
import { graphDriver } from "./graph-driver.ts";

const v1_43 = versionNumber("1.43");
const v1_44 = versionNumber("1.44");
const v1_45 = versionNumber("1.45");
const v1_50 = versionNumber("1.50");
const v1_51 = versionNumber("1.51");

function unixSeconds(time: string | undefined): number {
  const milliseconds = Date.parse(time ?? "");
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}

/** One row of GET /images/json. */
export function imageSummary(image: StoredImage, version: ApiVersion, containers: number): ImageSummary {
  // Old clients were given these texts instead of nothing.
  const dangling = version < v1_43 && image.names.length === 0 && image.repoDigests.length === 0;
  return {
    Id: image.id,
    ParentId: "",
    RepoTags: dangling ? ["<none>:<none>"] : image.names,
    RepoDigests: dangling ? ["<none>@<none>"] : image.repoDigests,
    Created: unixSeconds(image.createdAt),
    Size: image.size,
    SharedSize: -1,
    ...(version < v1_44 ? { VirtualSize: image.size } : {}),
    Labels: image.config.config?.Labels ?? null,
    Containers: version < v1_51 ? -1 : containers,
  };
}

function defaults(given: Defaults = {}): ImageDefaults {
  return {
    User: given.User ?? "",
    ...(given.ExposedPorts ? { ExposedPorts: given.ExposedPorts } : {}),
    Env: given.Env ?? null,
    Cmd: given.Cmd ?? null,
    Entrypoint: given.Entrypoint ?? null,
    Volumes: given.Volumes ?? null,
    WorkingDir: given.WorkingDir ?? "",
    Labels: given.Labels ?? null,
    OnBuild: given.OnBuild ?? null,
    ...(given.StopSignal ? { StopSignal: given.StopSignal } : {}),
    ...(given.ArgsEscaped ? { ArgsEscaped: true } : {}),
    ...(given.Shell ? { Shell: given.Shell } : {}),
    ...(given.Healthcheck ? { Healthcheck: given.Healthcheck } : {}),
  };
}

/** A container's members that an image once had for no reason. */
const neverSet = {
  Hostname: "",
  Domainname: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: "",
} as const;

/** GET /images/{name}/json. */
export function imageInspect(image: StoredImage, version: ApiVersion): ImageInspect {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.names,
    RepoDigests: image.repoDigests,
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    ...(version < v1_45 ? { Container: "", ContainerConfig: { ...defaults(), ...neverSet } } : {}),
    ...(image.createdAt === "" && version >= v1_44 ? {} : { Created: image.createdAt || never }),
    DockerVersion: "",
    Author: config.author ?? "",
    Config: { ...defaults(config.config), ...(version < v1_50 ? neverSet : {}) },
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config["os.version"] ? { OsVersion: config["os.version"] } : {}),
    Size: image.size,
    ...(version < v1_44 ? { VirtualSize: image.size } : {}),
    GraphDriver: graphDriver,
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt || never },
  };
}

/** GET /images/{name}/history: the steps that made it, the newest first; the newest carries the image's id and names. */
export function imageHistory(image: StoredImage): ImageHistoryItem[] {
  const layers = [...image.layers];
  const steps = image.config.history ?? layers.map(() => ({}) as { empty_layer?: boolean });
  return steps
    .map((step) => ({ ...step, size: step.empty_layer === true ? 0 : (layers.shift()?.size ?? 0) }))
    .reverse()
    .map((step, age) => ({
      Id: age === 0 ? image.id : "<missing>",
      Created: unixSeconds("created" in step ? (step.created as string) : undefined),
      CreatedBy: "created_by" in step ? String(step.created_by ?? "") : "",
      Tags: age === 0 && image.names.length > 0 ? image.names : null,
      Size: step.size,
      Comment: "comment" in step ? String(step.comment ?? "") : "",
    }));
}
