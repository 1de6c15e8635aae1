/**
 * Completes package-lock.json. npm leaves out optional packages of other platforms when the registry in use does not have
 * them, and `npm ci` then refuses the lock file. They are entered by name and version, without an integrity hash: npm
 * fetches them on their own platform only.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface LockedPackage {
  version: string;
  dev?: boolean | undefined;
  license?: string | undefined;
  optionalDependencies?: Record<string, string>;
}

const path = join(dirname(import.meta.dirname), "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8")) as { packages: Record<string, LockedPackage> };

/** "@scope/cli-linux-arm64-musl": operating system, processor and C library are the last parts of the name. */
function platform(name: string): object {
  const [os = "", cpu = "", library] = (name.split("/").at(-1) ?? "").replace(/^(cli|binding)-/, "").split("-");
  const libc = library?.startsWith("musl") ? ["musl"] : ["glibc"];
  return { cpu: [cpu], ...(os === "linux" ? { libc } : {}), optional: true, os: [os] };
}

const missing = Object.entries(lock.packages)
  .filter(([where]) => where !== "")
  .flatMap(([, { dev, license, optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies).map(([name, version]) => ({ name, version, dev, license })),
  )
  .filter(({ name }) => !(`node_modules/${name}` in lock.packages));

for (const { name, ...entry } of missing) lock.packages[`node_modules/${name}`] = { ...entry, ...platform(name) };
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${missing.length} packages of other platforms entered\n`);
