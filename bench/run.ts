/**
 * `npm run bench -- [NAME] [OPTION]…`: the benchmark of that name, "start" without one, or with "all" every one after the
 * other. See bench/README.md.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

const directory = import.meta.dirname;
const self = basename(import.meta.filename);
const names = readdirSync(directory)
  .filter((file) => file.endsWith(".ts") && file !== self)
  .map((file) => basename(file, ".ts"));

const [first = "", ...rest] = process.argv.slice(2);
const isName = first !== "" && !first.startsWith("-");
if (isName && first !== "all" && !names.includes(first)) {
  process.stderr.write(`There is no benchmark "${first}": ${names.join(", ")}, all\n`);
  process.exit(2);
}
const options = isName ? rest : process.argv.slice(2);
for (const name of first === "all" ? names : [isName ? first : "start"]) {
  process.stderr.write(`── ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(directory, `${name}.ts`), ...options], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
