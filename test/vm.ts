/**
 * `npm run test:vm [-- --short] [WORD…]`: the end-to-end tests on another kernel with cgroup v2, in machines emulated by
 * vm-run (SAMPAN_VM_RUN, else ../shared/tools/vm-run), one beside the other as this machine has processors
 * (SAMPAN_VM_MACHINES). Emulation is slow: see `--short` in run.ts. SAMPAN_VM_KERNELS: "trixie,bookworm".
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Sandbox } from "./support/sandbox.ts";
import { isShort } from "./support/short.ts";

const root = dirname(import.meta.dirname);
const vmRun = process.env.SAMPAN_VM_RUN ?? resolve(root, "../shared/tools/vm-run");

if (!existsSync(vmRun)) {
  process.stderr.write(`Cannot test in a virtual machine: no ${vmRun}; SAMPAN_VM_RUN names it\n`);
  process.exit(process.env.CI === "true" ? 1 : 0);
}
const kernels = process.env.SAMPAN_VM_KERNELS?.split(",") ?? ["trixie"];
const machines = Number(process.env.SAMPAN_VM_MACHINES ?? availableParallelism());
const processors = Math.max(1, Math.floor(availableParallelism() / machines));
/** So many files share one machine, which boots in seconds: one that hangs takes only these along. */
const groupSize = 2;

const argv = process.argv.slice(2);
const words = argv.filter((argument) => !argument.startsWith("--"));
const options = argv.filter((argument) => argument.startsWith("--"));

interface Group {
  readonly kernel: string;
  readonly files: readonly string[];
}

/** A file whose machine has systemd as its first process, and takes twice as long to come up. */
function isOfSystemd(file: string): boolean {
  return file.includes("systemd");
}

function groups(): Group[] {
  const all = globSync("test/{suites,e2e}/**/*.test.ts", { cwd: root }).sort();
  const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  const wanted = options.includes("--short") ? files.filter(isShort) : files;
  const usual = wanted.filter((file) => !isOfSystemd(file));
  const size = Math.ceil(usual.length / groupSize);
  const shared = Array.from({ length: size }, (_, n) => usual.slice(n * groupSize, (n + 1) * groupSize));
  const parts = [...shared, ...wanted.filter(isOfSystemd).map((file) => [file])];
  return kernels.flatMap((kernel) => parts.map((part) => ({ kernel, files: part })));
}

/** Runs a group in a machine of its own and prints what it said. */
async function run({ kernel, files }: Group): Promise<{ readonly ok: boolean; readonly passed: number }> {
  const systemd = files.some(isOfSystemd) ? ["--systemd"] : [];
  const machine = [
    ...systemd,
    "--kernel",
    kernel,
    "--cpus",
    `${processors}`,
    "--timeout",
    "3600",
    "--data",
    "/var/lib/sampan",
  ];
  // Without the machine's certificate bundle Node starts three times faster there; nothing in it reaches a network.
  const env = { ...process.env, SAMPAN_SLOW_MACHINE: "1" } as NodeJS.ProcessEnv;
  delete env.NODE_EXTRA_CA_CERTS;
  const command = [process.execPath, join(root, "test/run.ts"), "--e2e", ...options, ...files];
  const child = spawn(vmRun, [...machine, "--", ...command], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
  const [status] = await once(child, "close");
  const text = Buffer.concat(said).toString();
  process.stdout.write(`\n══ ${kernel}: ${files.join(" ")}\n${text}`);
  const [, passed = "0"] = /^sampan tests: (\d+) passed/m.exec(text) ?? [];
  return { ok: status === 0, passed: Number(passed) };
}

await prepare();
const waiting = groups();
const failed: string[] = [];
let passed = 0;

/** The bundle, and the code cache that a daemon leaves behind, are made out here: in there they would take a minute. */
async function prepare(): Promise<void> {
  const box = new Sandbox();
  try {
    await box.start();
    await box.ok("run", "--rm", "--network", "none", "sampan/host", "true");
  } finally {
    await box.close();
  }
}

async function work(): Promise<void> {
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
    const outcome = await run(group);
    passed += outcome.passed;
    if (!outcome.ok) failed.push(`on ${group.kernel}, one of ${group.files.join(" ")}`);
  }
}

await Promise.all(Array.from({ length: machines }, work));
process.stdout.write(
  `\nsampan tests in emulated machines: ${passed} passed, ${failed.length} groups of files failed\n`,
);
if (failed.length > 0 || passed === 0) {
  process.stderr.write(`Failed:\n  ${failed.join("\n  ")}\n`);
  process.exitCode = 1;
}
