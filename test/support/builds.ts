import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { docker } from "./docker.ts";
import type { Finished } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

let contexts = 0;

/** Makes a directory of these files, by path; its name. Paths with a "/" at the end are directories. */
export function buildContext(box: Sandbox, files: Readonly<Record<string, string | readonly string[]>>): string {
  const directory = join(box.directory, `context-${contexts++}`);
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith("/")) mkdirSync(join(directory, name), { recursive: true });
    else {
      mkdirSync(join(directory, name, ".."), { recursive: true });
      writeFileSync(join(directory, name), typeof text === "string" ? text : `${text.join("\n")}\n`);
    }
  }
  return directory;
}

/** Builds a directory with docker's classic builder, which is the daemon's. */
export function classicBuild(box: Sandbox, directory: string, ...args: string[]): Promise<Finished> {
  return docker(box, ["build", ...args, directory], { env: { DOCKER_BUILDKIT: "0" }, timeout: 60_000 });
}
