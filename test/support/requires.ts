import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The options of a test that cannot run where something is missing; `{}` where nothing is. */
export interface Requirement {
  skip?: string;
}

/** The full path of a program in PATH or the usual directories of root's, or undefined. */
export function program(name: string): string | undefined {
  const directories = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return directories
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

/**
 * `test("…", requires("skopeo", "docker"), …)`: skips with the reason where a program is missing. With CI=true test/run.ts
 * makes every skip a failure.
 */
export function requires(...programs: string[]): Requirement {
  const missing = programs.filter((name) => program(name) === undefined);
  return missing.length === 0 ? {} : { skip: `needs ${missing.join(", ")} (.ci/run names the packages)` };
}

/** Whether this is the machine that `npm run test:vm` emulates, whose kernel is Debian's with all its modules. */
const isEmulated = process.env.SAMPAN_SLOW_MACHINE === "1";

/** Begins the reason of a skip that test/run.ts does not count against this machine. */
export const leftToVm = "left to npm run test:vm: ";

/**
 * `test("…", requiresKernel(lack), …)`: skips where the kernel lacks something, which `lack` says. The emulated machine's has
 * it, so there such a skip counts; a file with such tests is in its short list (test/support/short.ts).
 */
export function requiresKernel(lack: string | undefined): Requirement {
  if (lack === undefined) return {};
  return { skip: isEmulated ? lack : `${leftToVm}${lack}` };
}

/** Skips where we are not root. */
export function requiresRoot(): Requirement {
  return process.getuid?.() === 0 ? {} : { skip: "needs root" };
}

/** Factor for time-outs: an emulated machine is slow. */
export const patience = isEmulated ? 10 : 1;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
