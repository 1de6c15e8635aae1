/**
 * Asks Docker's builder what it says of every fragment and lint case, and writes it to docker.golden.json beside this file.
 * The command is that of the arguments, before `buildx build`: `tools/node test/suites/dockerfile/record.ts docker`.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fragments, fragmentText } from "./fragments.ts";
import { lintCases } from "./lints.ts";

interface Checked {
  readonly warnings?: readonly { readonly ruleName: string; readonly detail?: string }[] | null;
  readonly buildError?: { readonly message: string };
}

/** What the builder says of a Dockerfile: why it refuses it, or its warnings. */
function ask(text: string): { readonly refused?: string; readonly lints?: readonly (readonly [string, string])[] } {
  const [program = "docker", ...words] = process.argv.slice(2);
  const args = [...words, "buildx", "build", "--call=check,format=json", "-"];
  const { stdout, stderr } = spawnSync(program, args, { input: text, encoding: "utf8" });
  if (!stdout.trim().startsWith("{")) return { refused: /ERROR: (.*)/.exec(stderr)?.[1] ?? stderr.trim() };
  const { warnings, buildError } = JSON.parse(stdout) as Checked;
  if (buildError !== undefined) return { refused: buildError.message };
  return { lints: (warnings ?? []).map(({ ruleName, detail = "" }) => [ruleName, detail] as const) };
}

const asked = fragments.filter(({ elsewhere }) => elsewhere !== "network");
const golden = {
  fragments: Object.fromEntries(asked.map((fragment) => [fragment.name, ask(fragmentText(fragment)).refused ?? ""])),
  // Stdin has no ignore file.
  lints: Object.fromEntries(lintCases.filter(({ ignore }) => !ignore).map(({ text }) => [text, ask(text).lints ?? []])),
};
writeFileSync(join(import.meta.dirname, "docker.golden.json"), `${JSON.stringify(golden, null, 2)}\n`);
