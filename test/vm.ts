/**
 * `npm run test:vm [-- --short] [WORD…]`: the end-to-end tests on another kernel with cgroup v2, in a machine emulated by
 * vm-run (SAMPAN_VM_RUN, else ../shared/tools/vm-run). Emulation is slow: see `--short` in run.ts.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isShort } from "./support/short.ts";

const root = dirname(import.meta.dirname);
const vmRun = process.env.SAMPAN_VM_RUN ?? resolve(root, "../shared/tools/vm-run");

if (!existsSync(vmRun)) {
  process.stderr.write(`Cannot test in a virtual machine: no ${vmRun}; SAMPAN_VM_RUN names it\n`);
  process.exit(process.env.CI === "true" ? 1 : 0);
}
const kernels = process.env.SAMPAN_VM_KERNELS?.split(",") ?? ["trixie"];
/** So many files share one machine: each group has an hour of its own, and a machine that hangs takes only these along. */
const groupSize = 8;

const argv = process.argv.slice(2);
const words = argv.filter((argument) => !argument.startsWith("--"));
const options = argv.filter((argument) => argument.startsWith("--"));

/** The files to run, group by group. */
function groups(): string[][] {
  const all = globSync("test/{suites,e2e}/**/*.test.ts", { cwd: root }).sort();
  const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  const wanted = options.includes("--short") ? files.filter(isShort) : files;
  const size = options.includes("--short") ? wanted.length : groupSize;
  return Array.from({ length: Math.ceil(wanted.length / size) }, (_, n) => wanted.slice(n * size, (n + 1) * size));
}

/** Runs a group in a machine of its own; whether all of it has passed. */
function passes(kernel: string, files: readonly string[]): boolean {
  const machine = ["--kernel", kernel, "--timeout", "3600", "--data", "/var/lib/sampan"];
  // Without the machine's certificate bundle Node starts three times faster there; nothing in it reaches a network.
  const env = { ...process.env, SAMPAN_SLOW_MACHINE: "1" } as NodeJS.ProcessEnv;
  delete env.NODE_EXTRA_CA_CERTS;
  const command = [process.execPath, join(root, "test/run.ts"), "--e2e", ...options, ...files];
  return spawnSync(vmRun, [...machine, "--", ...command], { cwd: root, env, stdio: "inherit" }).status === 0;
}

// The bundle is made out here: in there it would take a minute.
spawnSync(join(root, "bin/sampan"), ["--version"], { stdio: ["ignore", "ignore", "inherit"] });
const failed: string[] = [];
for (const kernel of kernels) {
  for (const files of groups()) if (!passes(kernel, files)) failed.push(`on ${kernel}, one of ${files.join(" ")}`);
}
if (failed.length > 0) {
  process.stderr.write(`Failed:\n  ${failed.join("\n  ")}\n`);
  process.exitCode = 1;
}
