/**
 * Makes the code cache of dist/runtime-main.cjs: has one process do what the runtime's commands do, but for what the kernel does
 * of it, then asks V8 for the compiled code of all that was used. Usage: warm-up-runtime.ts DIST
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const dist = process.argv[2] ?? "dist";
const stub = join(dist, "runtime.cjs");
const require = createRequire(import.meta.url);

const first = Promise.withResolvers<void>();
process.execve = () => {
  first.resolve();
  return undefined as never;
};
process.argv = [process.execPath, stub, "--version"];
const { cache, script, program } = require(stub);
await first.promise;

const directory = mkdtempSync(join(tmpdir(), "sampan-warm-up-"));
try {
  mkdirSync(join(directory, "rootfs"));
  await program.exports.warmUp(directory);
} finally {
  rmSync(directory, { recursive: true });
}
writeFileSync(`${cache}.new`, script.createCachedData());
renameSync(`${cache}.new`, cache);
process.exit(0);
