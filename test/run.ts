/**
 * The tests. `npm test` runs all of them, `npm test -- WORD…` the files whose path contains one of the words,
 * `--short` only what depends on the kernel most. Unit tests run side by side, suites and end-to-end tests one file after
 * the other, for they measure and check for leaks. With CI=true a skipped test is a failure, unless it says that it runs in
 * the emulated machine (`requiresKernel`).
 */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { leftToVm, patience } from "./support/requires.ts";
import { isShort } from "./support/short.ts";

const root = dirname(import.meta.dirname);
process.chdir(root);

interface Outcome {
  passed: number;
  failed: number;
  skipped: string[];
  /** Skipped for want of something that only the emulated machine's kernel has. */
  leftToVm: string[];
}

/** A file that does not end, because it has left something open, has failed. In ms. */
const fileTimeout = Number(process.env.SAMPAN_TEST_FILE_TIMEOUT ?? 300) * 1000 * Math.min(patience, 3);

/** Runs files of tests with the usual report on stdout; the returned counts are of tests, not of files. */
async function runFiles(title: string, files: string[], concurrency: number): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, skipped: [], leftToVm: [] };
  process.stdout.write(`\n── ${title}: ${files.length} files\n`);
  if (files.length === 0) return outcome;
  const stream = run({ files, concurrency, cwd: root, timeout: fileTimeout });
  stream.on("test:fail", () => {
    outcome.failed++;
  });
  stream.on("test:pass", ({ name, skip, details }) => {
    if (details.type === "suite") return;
    const reason = typeof skip === "string" ? skip : "";
    if (skip === undefined || skip === false) outcome.passed++;
    else (reason.startsWith(leftToVm) ? outcome.leftToVm : outcome.skipped).push(`${name}: ${reason}`);
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve) => report.once("end", resolve));
  return outcome;
}

function matching(pattern: string | string[], words: string[]): string[] {
  const files = globSync(pattern).sort();
  return words.length === 0 ? files : files.filter((file) => words.some((word) => file.includes(word)));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, e2e: { type: "boolean", default: false } },
});

const outcomes: Outcome[] = [];
if (!values.e2e) {
  execFileSync(join(root, "native/build.sh"), ["sanitize"], { stdio: "inherit" });
  const unit = matching(["src/**/*.test.ts", "test/architecture/*.test.ts"], positionals);
  outcomes.push(await runFiles("unit tests", unit, 2));
}
const endToEnd = matching(["test/suites/**/*.test.ts", "test/e2e/**/*.test.ts"], positionals).filter(
  (file) => !values.short || isShort(file),
);
if (endToEnd.length > 0) {
  // What a user runs first; the tests then use the same bundle.
  execFileSync(join(root, "bin/sampan"), ["--version"], { stdio: ["ignore", "ignore", "inherit"] });
  outcomes.push(await runFiles("suites and end-to-end tests", endToEnd, 1));
}

const passed = outcomes.reduce((sum, { passed }) => sum + passed, 0);
const failed = outcomes.reduce((sum, { failed }) => sum + failed, 0);
const skipped = outcomes.flatMap((outcome) => outcome.skipped);
const left = outcomes.flatMap((outcome) => outcome.leftToVm);
const skipFails = process.env.CI === "true" && skipped.length > 0;
process.stdout.write(`\nsampan tests: ${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
if (left.length > 0) process.stdout.write(`${left.length} more are left to npm run test:vm:\n  ${left.join("\n  ")}\n`);
if (skipFails) process.stdout.write(`With CI=true a skip is a failure:\n  ${skipped.join("\n  ")}\n`);
process.exitCode = failed > 0 || skipFails || passed === 0 ? 1 : 0;
