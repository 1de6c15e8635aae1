import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { configShape, type OciConfig } from "./config.ts";
import { parse } from "./shape.ts";

/** A directory with a config.json, read. */
export interface Bundle {
  /** Absolute. */
  readonly directory: string;
  readonly config: OciConfig;
}

/** Reads a bundle. Throws `invalid`, `not-found` or `unsupported` with what of it is wrong. */
export function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const file = `${directory}/config.json`;
  let json: string;
  try {
    json = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT")
      throw new SampanError("not-found", `JSON specification file ${file} not found`, { cause: error });
    throw new SampanError("invalid", `Cannot read ${file}: ${code}`, { cause: error });
  }
  const config = parse(json, configShape, file);
  if (!/^1\.\d+\.\d+/.test(config.ociVersion))
    throw new SampanError("unsupported", `Cannot use ${file}: ociVersion ${config.ociVersion} is not one of 1.x`);
  return { directory, config };
}

/** The absolute path of the root file system, which must be a directory. */
export function rootOf({ directory, config }: Bundle): string {
  if (config.root === undefined) throw new SampanError("invalid", "Cannot create a container: config.json has no root");
  const path = resolve(directory, config.root.path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new SampanError("not-found", `Cannot create a container: the root file system ${path} is no directory`);
}
