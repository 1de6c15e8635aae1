import { delimiter, join } from "node:path";
import { isExecutable } from "../kernel/executable.ts";

/** Where a program is in PATH; undefined when it is not. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .map((place) => join(place, name))
    .find(isExecutable);
}

/** PATH, or the usual places where nothing is said. */
export function searchPath(): string {
  return process.env.PATH || "/usr/sbin:/usr/bin:/sbin:/bin";
}
