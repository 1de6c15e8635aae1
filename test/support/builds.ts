import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { docker } from "./docker.ts";
import type { Finished } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

let contexts = 0;

/** Files by path; those with a "/" at the end are directories. */
export type Files = Readonly<Record<string, string | Uint8Array | readonly string[]>>;

/** Writes them into a directory that is there. */
export function writeFiles(directory: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    const isLines = Array.isArray(content);
    if (!name.endsWith("/"))
      writeFileSync(path, isLines ? `${content.join("\n")}\n` : (content as string | Uint8Array));
  }
}

/** Makes a directory of these files; its name. */
export function buildContext(box: Sandbox, files: Files): string {
  const directory = join(box.directory, `context-${contexts++}`);
  mkdirSync(directory);
  writeFiles(directory, files);
  return directory;
}

/** Builds a directory with docker's classic builder, which is the daemon's. */
export function classicBuild(box: Sandbox, directory: string, ...args: string[]): Promise<Finished> {
  return docker(box, ["build", ...args, directory], { env: { DOCKER_BUILDKIT: "0" }, timeout: 60_000 });
}
