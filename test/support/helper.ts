import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { createExecutor, type Executor } from "../../src/kernel/executor.ts";
import { removeTree } from "./sandbox.ts";

const native = resolve(import.meta.dirname, "../../native");

/** The builds of the native helper that every test of it runs with. */
export const helperBuilds = [
  { name: "release", file: "executor" },
  { name: "sanitize", file: "executor-sanitize" },
] as const;

/** Path of a build of the native helper, compiled when it is missing. */
export function helperBinary(build: (typeof helperBuilds)[number]): string {
  const path = join(native, "build", build.file);
  if (!existsSync(path)) execFileSync(join(native, "build.sh"), [build.name]);
  return path;
}

/** An executor with a directory of its own, both gone after the file's tests. */
export function testExecutor(build: (typeof helperBuilds)[number] = helperBuilds[0]): {
  executor: Executor;
  directory: string;
} {
  const directory = mkdtempSync(join(tmpdir(), "sampan-"));
  const executor = createExecutor({ binary: helperBinary(build), socket: join(directory, "executor.sock") });
  after(async () => {
    await executor.close();
    await removeTree(directory);
  });
  return { executor, directory };
}
