import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import { parsePlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import { parseReference } from "../../registry/reference.ts";
import { struct, validateJson } from "./validate.ts";

/** fromImage and tag (a digest, too) as one name; without a tag the name as it is. */
export function imageReference(name: string, tag: string | undefined): string {
  if (tag === undefined) return name;
  const { familiarName } = parseReference(name);
  return `${familiarName}${tag.includes(":") ? "@" : ":"}${tag}`;
}

/** "linux/arm64/v8" as data; since API 1.49 some clients send JSON instead. */
export function platformOf(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  if (!text.startsWith("{")) return parsePlatform(text);
  const { os, architecture, variant } = validateJson(schema, parseJson(text));
  if (!architecture) return undefined;
  return { os: os || "linux", architecture, ...(variant ? { variant } : {}) };
}

/** The one platform that `platforms` asks for, each as JSON: an image here has one. */
export function onlyPlatform(platforms: readonly string[]): Platform | undefined {
  if (platforms.length > 1) throw new SampanError("invalid", "multiple platforms are not supported");
  return platformOf(platforms[0] || undefined);
}

const schema = struct({ os: z.string(), architecture: z.string(), variant: z.string() });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SampanError("invalid", "failed to parse platform: invalid JSON", { cause });
  }
}
