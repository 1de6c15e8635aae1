import { arch } from "node:process";
import { SampanError } from "../errors/index.ts";
import type { Platform } from "./types.ts";

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
const aliases: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  i386: "386",
  i686: "386",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
};
const impliedVariants: Readonly<Record<string, string>> = { armhf: "v7", armel: "v6" };

/** This machine. */
export function hostPlatform(architecture: string = arch): Platform {
  return { os: "linux", architecture: goArchitectures[architecture] ?? architecture };
}

/** Reads "linux/arm64/v8", "linux/amd64" or "arm64". */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  const valid = parts.length <= 3 && parts.every((part) => /^[a-z0-9_.-]+$/.test(part));
  const [os = "", architecture, variant] = parts.length === 1 ? [text === "linux" ? text : "linux", parts[0]] : parts;
  if (!valid || architecture === undefined) {
    throw new SampanError("invalid", `Cannot use ${JSON.stringify(text)} as a platform: it is not os/arch[/variant]`);
  }
  if (parts.length === 1 && architecture === "linux") return hostPlatform();
  return normalise({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** "linux/arm64/v8". */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** Aliases resolved; the variant that every processor of the architecture has is left out, ARM without one is v7. */
export function normalise(platform: Platform): Platform {
  const written = platform.architecture.toLowerCase();
  const architecture = aliases[written] ?? written;
  let variant = platform.variant?.toLowerCase() || impliedVariants[written];
  if (variant !== undefined && /^\d+$/.test(variant)) variant = `v${variant}`;
  if ((architecture === "arm64" && variant === "v8") || (architecture === "amd64" && variant === "v1"))
    variant = undefined;
  if (architecture === "arm" && variant === undefined) variant = "v7";
  return { os: platform.os.toLowerCase(), architecture, ...(variant === undefined ? {} : { variant }) };
}

/** What a processor can run, best first: "arm/v7" runs v6 and v5 too, arm64 runs 32-bit ARM, amd64 runs 386. */
export function runnable(wanted: Platform): Platform[] {
  const { os, architecture, variant } = normalise(wanted);
  const of = (arch: string, from: number, to: number) =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, i) =>
      normalise({ os, architecture: arch, variant: `v${from - i}` }),
    );
  const level = Number(/^v(\d)/.exec(variant ?? "")?.[1] ?? 0);
  if (architecture === "amd64") return [...of("amd64", Math.max(1, level), 1), { os, architecture: "386" }];
  if (architecture === "arm64") return [...of("arm64", Math.max(8, level), 8), ...of("arm", 8, 5)];
  if (architecture === "arm") return of("arm", level, 5);
  return [normalise(wanted)];
}

/** How well `offered` suits: 0 is best, undefined not at all. */
export function suitability(wanted: Platform, offered: Platform): number | undefined {
  const text = formatPlatform(normalise(offered));
  const index = runnable(wanted).findIndex((one) => formatPlatform(one) === text);
  return index < 0 ? undefined : index;
}
