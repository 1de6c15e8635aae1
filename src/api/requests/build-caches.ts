import { isAbsolute } from "node:path";
import * as z from "zod";
import type { BuildOutput, CacheSource, CacheTarget } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import { parseReference } from "../../registry/reference.ts";
import { struct, validateJson } from "./validate.ts";

const entries = z
  .array(z.union([z.string(), struct({ Type: z.string(), Attrs: z.record(z.string(), z.string()) })]))
  .nullable();

interface Entry {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** `cachefrom`: names of images alone are hints, as with docker's builder: what they hold is in the one store. */
export function cacheSources(json: string | undefined): CacheSource[] {
  return entriesOf(json, "cachefrom").map(({ type, attributes }): CacheSource => {
    if (type === "registry") {
      return { type, reference: referenceOf(take(attributes, type, ["ref"])) };
    }
    if (type === "local") {
      const { src, tag = "latest", digest } = take(attributes, type, ["src", "tag", "digest"]);
      return { type, directory: directoryOf(src, "src"), version: digest ?? tag };
    }
    throw new SampanError("unsupported", `Cannot take the build cache from type=${type}: registry and local are there`);
  });
}

/** `cacheto`; `output` is what the build makes. */
export function cacheTargets(json: string | undefined, output: BuildOutput["type"]): CacheTarget[] {
  return entriesOf(json, "cacheto").map(({ type, attributes }): CacheTarget => {
    if (type === "registry") {
      const { mode, "ignore-error": ignored, ...rest } = take(attributes, type, ["ref", "mode", "ignore-error"]);
      return { type, reference: tagged(referenceOf(rest)), all: isMax(mode), mayFail: ignored === "true" };
    }
    if (type === "local") {
      const known = ["dest", "tag", "mode", "ignore-error"] as const;
      const { dest, tag = "latest", mode, "ignore-error": ignored } = take(attributes, type, known);
      return { type, directory: directoryOf(dest, "dest"), tag, all: isMax(mode), mayFail: ignored === "true" };
    }
    if (type === "inline") return inline(take(attributes, type, ["mode"]), output);
    const there = "registry, local and inline are there";
    throw new SampanError("unsupported", `Cannot export the build cache to type=${type}: ${there}`);
  });
}

function inline({ mode }: { readonly mode?: string | undefined }, output: BuildOutput["type"]): CacheTarget {
  if (output !== "image")
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
