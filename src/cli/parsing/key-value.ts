import { readFileSync } from "node:fs";
import { invalid } from "../errors.ts";

/** Environment variables of the caller, from which `-e NAME` takes its value. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `-e NAME=value`, or `-e NAME`: the caller's value, nothing when the caller has none. */
export function parseEnv(text: string, environment: Environment): string | undefined {
  const [name = ""] = text.split("=", 1);
  if (name === "") throw invalid(`invalid environment variable: ${text}`);
  if (text.includes("=")) return text;
  const value = environment[name];
  return value === undefined ? undefined : `${name}=${value}`;
}

/** `--label key=value`; a key alone has the empty value. */
export function parseLabel(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  const key = at < 0 ? text : text.slice(0, at);
  if (key === "") throw invalid(`invalid label '${text}': empty name`);
  return [key, at < 0 ? "" : text.slice(at + 1)];
}

/** Lines of an env file: comments and empty lines dropped, left space trimmed, names without white space. */
export function parseEnvLines(content: string, source: string, environment: Environment): string[] {
  const entries: string[] = [];
  for (const [index, raw] of content
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const line = raw.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const [name = ""] = line.split("=", 1);
    if (/\s/.test(name)) throw invalid(`invalid env file (${source}): variable '${name}' contains whitespaces`);
    if (name === "") throw invalid(`invalid env file (${source}): no variable name on line ${index + 1} '${line}'`);
    const entry = parseEnv(line, environment);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Reads `--env-file` or `--label-file`; the error names the file as the user wrote it. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw invalid(`open ${path}: ${code === "ENOENT" ? "no such file or directory" : (code ?? String(cause))}`);
  }
}
