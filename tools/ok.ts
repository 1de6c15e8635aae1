/** `npm run ok`: everything that can be said about the checkout without root and without a container, in one command. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";

const checks: [what: string, command: string, args: string[]][] = [
  ["format and lint", "biome", ["check", "--error-on-warnings", "."]],
  ["types", "tsc", ["-p", "."]],
  ["protocol header", process.execPath, ["native/generate-protocol.ts", "--check"]],
  ["dead code", "knip", []],
  ["unit tests", process.execPath, ["--test", ...globSync(["src/**/*.test.ts", "test/architecture/*.test.ts"])]],
];

const failed: string[] = [];
for (const [what, command, args] of checks) {
  process.stdout.write(`\n── ${what}\n`);
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (error) process.stderr.write(`${error.message}\n`);
  if (status !== 0) failed.push(what);
}
process.stdout.write(failed.length === 0 ? "\nok\n" : `\nnot ok: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
