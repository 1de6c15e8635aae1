import { isAbsolute } from "node:path";
import * as z from "zod";
import type { BuildOutput, CacheSource, CacheTarget, LentStore } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { Descriptor } from "../../images/shapes.ts";
import { parseReference } from "../../registry/reference.ts";
import { struct, validateJson } from "./validate.ts";

const entries = z
  .array(z.union([z.string(), struct({ Type: z.string(), Attrs: z.record(z.string(), z.string()) })]))
  .nullable();

interface Entry {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Opens a directory of the client's. */
type Lend = (directory: string) => LentStore;

/**
 * `cachefrom`: names of images alone are hints, as with docker's builder: what they hold is in the one store. `lend`: directories
 * are the client's, which has looked for the digest.
 */
export function cacheSources(json: string | undefined, lend?: Lend): CacheSource[] {
  return entriesOf(json, "cachefrom").map(({ type, attributes }): CacheSource => {
    if (type === "registry") {
      return { type, reference: referenceOf(take(attributes, type, ["ref"])) };
    }
    if (type === "local") {
      const { src, tag = "latest", digest } = take(attributes, type, ["src", "tag", "digest"]);
      if (lend !== undefined) {
        const directory = src ?? "";
        return { type: "lent", directory, version: digest ?? tag, store: lend(directory) };
      }
      return { type, directory: directoryOf(src, "src"), version: digest ?? tag };
    }
    throw new SampanError("unsupported", `Cannot take the build cache from type=${type}: registry and local are there`);
  });
}

interface LentTargets {
  readonly lend: Lend;
  /** Told what the cache in a directory of the client's is to be found by. */
  stored(root: Descriptor): void;
}

/** `cacheto`; `output` is what the build makes. `lent`: directories are the client's. */
export function cacheTargets(json: string | undefined, output: BuildOutput["type"], lent?: LentTargets): CacheTarget[] {
  return entriesOf(json, "cacheto").map(({ type, attributes }): CacheTarget => {
    if (type === "registry") {
      const { ref, ...how } = take(attributes, type, ["ref", ...exported]);
      return { type, reference: tagged(referenceOf({ ref })), ...howOf(how) };
    }
    if (type === "local") {
      const { dest, tag = "latest", ...how } = take(attributes, type, ["dest", "tag", ...exported]);
      if (lent !== undefined) {
        const directory = dest ?? "";
        return { type: "lent", directory, store: lent.lend(directory), stored: lent.stored, ...howOf(how) };
      }
      return { type, directory: directoryOf(dest, "dest"), tag, ...howOf(how) };
    }
    if (type === "inline") return inline(take(attributes, type, ["mode", "cache-mounts"]), output);
    const there = "registry, local and inline are there";
    throw new SampanError("unsupported", `Cannot export the build cache to type=${type}: ${there}`);
  });
}

/** How a cache is exported; `cache-mounts` is Sampan's own, the others are BuildKit's. */
const exported = ["mode", "ignore-error", "cache-mounts", "image-manifest", "oci-mediatypes"] as const;

type How = { readonly [Key in (typeof exported)[number]]?: string };

function howOf({ mode, "ignore-error": ignored, "cache-mounts": mounts, ...shape }: How) {
  for (const [name, value] of Object.entries(shape)) {
    if (isTrue(name, value)) continue;
    throw new SampanError("unsupported", `Cannot export the build cache with ${name}=${value}: it is an OCI manifest`);
  }
  return { all: isMax(mode), mounts: isTrue("cache-mounts", mounts), mayFail: ignored === "true" };
}

function isTrue(name: string, value = "false"): boolean {
  if (value === "true" || value === "false") return value === "true";
  throw new SampanError("invalid", `the build cache has no ${name}=${value}: true and false are there`);
}

function inline({ mode, "cache-mounts": mounts }: How, output: BuildOutput["type"]): CacheTarget {
  if (isTrue("cache-mounts", mounts)) {
    const remedy = "use cache-mounts=true with type=registry or type=local";
    throw new SampanError(
      "unsupported",
      `Cannot export cache mounts inline: an image has its own layers only; ${remedy}`,
    );
  }
  if (output === "tar")
    throw new SampanError("invalid", "Cannot export the build cache inline: the build makes no image");
  if (isMax(mode)) {
    const remedy = "use mode=max with type=registry or type=local";
    throw new SampanError(
      "unsupported",
      `Cannot export all of the build cache inline: an image has its own layers only; ${remedy}`,
    );
  }
  return { type: "inline" };
}

function entriesOf(json: string | undefined, name: string): Entry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json || "[]");
  } catch (cause) {
    throw new SampanError("invalid", `error reading ${name}: invalid JSON`, { cause });
  }
  return (validateJson(entries, parsed) ?? []).flatMap((entry) => {
    if (typeof entry !== "string") {
      return [{ type: entry.Type ?? "", attributes: new Map(Object.entries(entry.Attrs ?? {})) }];
    }
    if (!entry.includes("=")) {
      if (name === "cachefrom") return [];
      throw new SampanError("invalid", `Cannot export the build cache to ${entry}: say type=registry,ref=${entry}`);
    }
    const attributes = new Map(
      entry.split(",").map((field): [string, string] => {
        const [key = "", ...value] = field.split("=");
        return [key, value.join("=")];
      }),
    );
    const type = attributes.get("type") ?? "";
    attributes.delete("type");
    return [{ type, attributes }];
  });
}

/** The attributes of an entry, all of which must be known. */
function take<Name extends string>(
  attributes: Entry["attributes"],
  type: string,
  known: readonly Name[],
): { readonly [Key in Name]?: string } {
  const unknown = [...attributes.keys()].find((name) => !known.some((own) => own === name));
  if (unknown === undefined) return Object.fromEntries(attributes) as { readonly [Key in Name]?: string };
  throw new SampanError("unsupported", `Cannot use the attribute ${unknown} of the build cache type=${type}`);
}

function referenceOf({ ref }: { readonly ref?: string | undefined }): string {
  if (ref === undefined || ref === "") throw new SampanError("invalid", "the build cache type=registry requires ref=");
  parseReference(ref);
  return ref;
}

function tagged(reference: string): string {
  if (parseReference(reference).digest === undefined) return reference;
  throw new SampanError("invalid", `Cannot export the build cache to ${reference}: a digest is no name`);
}

function directoryOf(path: string | undefined, name: string): string {
  if (path !== undefined && isAbsolute(path)) return path;
  throw new SampanError(
    "invalid",
    `the build cache type=local requires ${name}=, an absolute path on the daemon's machine`,
  );
}

function isMax(mode = "min"): boolean {
  if (mode === "min" || mode === "max") return mode === "max";
  throw new SampanError("invalid", `the build cache has no mode=${mode}: min and max are there`);
}
