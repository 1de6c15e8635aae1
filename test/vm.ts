/**
 * `npm run test:vm [-- --short] [WORD…]`: the end-to-end tests on another kernel with cgroup v2, in a machine emulated by
 * vm-run (SAMPAN_VM_RUN, else ../shared/tools/vm-run). Emulation is slow: see `--short` in run.ts.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = dirname(import.meta.dirname);
const vmRun = process.env.SAMPAN_VM_RUN ?? resolve(root, "../shared/tools/vm-run");

if (!existsSync(vmRun)) {
  process.stderr.write(`Cannot test in a virtual machine: no ${vmRun}; SAMPAN_VM_RUN names it\n`);
  process.exit(process.env.CI === "true" ? 1 : 0);
}
const kernels = process.env.SAMPAN_VM_KERNELS?.split(",") ?? ["trixie"];
for (const kernel of kernels) {
  const options = ["--kernel", kernel, "--timeout", "2400", "--data", "/var/lib/sampan"];
  // Without the machine's certificate bundle Node starts three times faster there; nothing in it reaches a network.
  const env = { ...process.env, SAMPAN_SLOW_MACHINE: "1" } as NodeJS.ProcessEnv;
  delete env.NODE_EXTRA_CA_CERTS;
  const command = [process.execPath, join(root, "test/run.ts"), "--e2e", ...process.argv.slice(2)];
  // The bundle is made out here: in there it would take a minute.
  spawnSync(join(root, "bin/sampan"), ["--version"], { stdio: ["ignore", "ignore", "inherit"] });
  const { status } = spawnSync(vmRun, [...options, "--", ...command], { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
