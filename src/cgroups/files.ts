import { closeSync, constants, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { SampanError } from "../errors/index.ts";

/** The errno name of what a file operation threw. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** The text of a cgroup file; undefined when the file or its cgroup is not there (ENODEV: it went while being read). */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (["ENOENT", "ENODEV", "ENOTDIR", "EOPNOTSUPP"].includes(errnoOf(error))) return undefined;
    throw new SampanError("internal", `Cannot read ${path}: ${errnoOf(error)}`, { cause: error });
  }
}

/** Writes one value, in one write(2). Neither made nor truncated, nor opened for reading: some files are write-only. */
export function writeText(path: string, value: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** mkdir for which "exists" is fine. */
export function makeDirectoryNow(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

/** "max", or v1's page-rounded LONG_MAX, is no limit. */
export function limitOf(text: string | undefined): number | undefined {
  const value = Number((text ?? "max").trim());
  return Number.isFinite(value) && value < 2 ** 62 ? value : undefined;
}

export function numberOf(text: string | undefined): number {
  const value = Number((text ?? "").trim());
  return Number.isFinite(value) ? value : 0;
}

/** Lines of "key value". */
export function parseFlat(text: string | undefined): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of (text ?? "").split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) values[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return values;
}

/** Every ancestor of a cgroup path, from the first below the root to the path itself. */
export function ancestors(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}
