import * as z from "zod";
import { SampanError } from "../errors/index.ts";
import { mediaTypes } from "../registry/media-types.ts";
import { type DiffId, type Digest, isDigest } from "../storage/digest.ts";
import type { ImageConfig } from "./types.ts";

/** The largest manifest, index or config that is read. */
export const documentLimit = 8 * 1024 * 1024;

const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a digest");
const size = z.number().int().nonnegative();
const text = z.string().optional();
const texts = z.array(z.string()).optional();

const descriptor = z.object({
  mediaType: z.string().default(""),
  digest,
  size,
  urls: texts,
  annotations: z.record(z.string(), z.string()).optional(),
});
const platform = z.object({ os: z.string(), architecture: z.string(), variant: text, "os.version": text });

const manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: text,
  config: descriptor,
  layers: z.array(descriptor).max(1000),
});
const index = z.object({
  schemaVersion: z.literal(2),
  mediaType: text,
  manifests: z.array(descriptor.extend({ platform: platform.optional() })).max(10_000),
});

export type Descriptor = z.infer<typeof descriptor>;
export type Manifest = z.infer<typeof manifest>;
export type Index = z.infer<typeof index>;
export type Document =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly index: Index };

const nanoseconds = z.number().optional();
const objects = z.record(z.string(), z.looseObject({})).optional();
const defaults = z.object({
  User: text,
  ExposedPorts: objects,
  Env: texts,
  Entrypoint: texts,
  Cmd: texts,
  Volumes: objects,
  WorkingDir: text,
  Labels: z.record(z.string(), z.string()).optional(),
  StopSignal: text,
  StopTimeout: z.number().int().optional(),
  ArgsEscaped: z.boolean().optional(),
  OnBuild: texts,
  Shell: texts,
  Healthcheck: z
    .object({
      Test: texts,
      Interval: nanoseconds,
      Timeout: nanoseconds,
      StartPeriod: nanoseconds,
      StartInterval: nanoseconds,
      Retries: z.number().int().optional(),
    })
    .optional(),
});
const config = z.object({
  created: text,
  author: text,
  os: z.string().default("linux"),
  architecture: z.string().default(""),
  variant: text,
  "os.version": text,
  config: defaults.optional(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(digest.transform((d) => d as DiffId)).max(1000) }),
  history: z
    .array(
      z.object({ created: text, created_by: text, author: text, comment: text, empty_layer: z.boolean().optional() }),
    )
    .optional(),
});

const dockerArchive = z
  .array(z.object({ Config: z.string(), RepoTags: texts, Layers: z.array(z.string()).max(1000).default([]) }))
  .max(10_000);

/** Reads an index or manifest of an image; `name` says of what, for the error (kind "invalid" or "unsupported"). */
export function parseDocument(bytes: Uint8Array, name: string, mediaType = ""): Document {
  const raw = parseJson(bytes, `manifest of ${name}`);
  const has = (key: string) => typeof raw === "object" && raw !== null && key in raw;
  if (has("schemaVersion") && (raw as { schemaVersion: unknown }).schemaVersion === 1) {
    const remedy = "push the image again with a current tool";
    throw new SampanError(
      "unsupported",
      `Cannot use ${name}: its manifest is of Docker's schema 1, which is gone; ${remedy}`,
    );
  }
  // One document that can be read both ways is two images under one digest (CVE-2021-41190).
  if (has("manifests") && (has("layers") || has("config"))) {
    throw new SampanError("invalid", `Cannot use the manifest of ${name}: it is an index and a manifest at once`);
  }
  if (!has("manifests")) return { kind: "manifest", manifest: check(manifest, raw, `manifest of ${name}`, mediaType) };
  return { kind: "index", index: check(index, raw, `index of ${name}`, mediaType) };
}

/** Reads an image's config. */
export function parseConfig(bytes: Uint8Array, name: string): ImageConfig {
  return check(config, parseJson(bytes, `config of ${name}`), `config of ${name}`);
}

/** Reads the manifest.json of a docker-archive. */
export function parseArchiveManifest(bytes: Uint8Array): z.infer<typeof dockerArchive> {
  return check(dockerArchive, parseJson(bytes, "manifest.json of the archive"), "manifest.json of the archive");
}

const imageConfigs: ReadonlySet<string> = new Set([
  "",
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  "application/octet-stream",
]);

/** Whether an entry of an index says something about another one, and is no image. */
export function isAttestationEntry({ annotations }: Pick<Descriptor, "annotations">): boolean {
  return annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
}

/** Refuses what is not a container image: Helm charts, signatures and other things that registries hold. */
export function checkIsImage({ config, layers }: Manifest, name: string): void {
  if (!imageConfigs.has(config.mediaType)) {
    throw new SampanError("unsupported", `Cannot use ${name}: it is not a container image but ${config.mediaType}`);
  }
  const foreign = layers.find(({ mediaType, urls }) => mediaType.includes("foreign") || (urls?.length ?? 0) > 0);
  if (foreign)
    throw new SampanError("unsupported", `Cannot use ${name}: layer ${foreign.digest} is kept outside of registries`);
  const encrypted = layers.find(({ mediaType }) => mediaType.endsWith("+encrypted"));
  if (encrypted) throw new SampanError("unsupported", `Cannot use ${name}: layer ${encrypted.digest} is encrypted`);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return withoutNulls(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new SampanError("invalid", `Cannot read the ${what}: it is not valid JSON`, { cause });
  }
}

/** Go writes nil slices and maps as null, which means "not there". */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (v === null ? [] : [[k, withoutNulls(v)]])));
}

function check<T>(shape: z.ZodType<T>, raw: unknown, what: string, mediaType?: string): T {
  const result = shape.safeParse(raw);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  const type = mediaType ? ` (${mediaType.slice(0, 100)})` : "";
  throw new SampanError("invalid", `Cannot use the ${what}${type}: ${issue?.message ?? "malformed"}${where}`);
}
