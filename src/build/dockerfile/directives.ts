import { DockerfileError } from "./error.ts";
import type { CheckOptions, Directives, SourceFile, SourceRange } from "./types.ts";

const known = ["syntax", "escape", "check"];

interface Found {
  readonly value: string;
  readonly range: SourceRange;
}

/** What the comments at the top of a file say to the parser, and how many lines they take. */
export interface ReadDirectives extends Directives {
  readonly lines: number;
}

/**
 * Reads `# name=value` lines above everything else. The first line that is none of them ends the directives; it may be
 * an ordinary comment. A `#!` line may come before them.
 */
export function readDirectives(source: SourceFile): ReadDirectives {
  const found = new Map<string, Found>();
  const first = source.lines[0]?.startsWith("#!") === true ? 1 : 0;
  let line = first;
  for (; line < source.lines.length; line++) {
    const text = source.lines[line] ?? "";
    const match = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(text);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || !known.includes(name)) break;
    const range = lineRange(line, text);
    if (found.has(name)) throw new DockerfileError(`only one ${name} parser directive can be used`, source, range);
    found.set(name, { value: match?.[2] ?? "", range });
  }
  const check = found.get("check");
  return {
    syntax: found.get("syntax")?.value.split(" ")[0],
    // Docker's parser takes a "#!" line for a comment, after which no escape directive counts.
    escape: first === 0 ? escapeOf(found.get("escape"), source) : "\\",
    check: check === undefined ? { skip: [], experimental: [], error: false } : checkOf(check, source),
    lines: line,
  };
}

function lineRange(index: number, text: string): SourceRange {
  const line = index + 1;
  return { start: { line, column: 1 }, end: { line, column: text.length + 1 } };
}

function escapeOf(found: Found | undefined, source: SourceFile): "\\" | "`" {
  const value = found?.value ?? "\\";
  if (value === "\\" || value === "`") return value;
  const range = found?.range ?? lineRange(0, "");
  throw new DockerfileError(`invalid escape token '${value}' does not match \` or \\`, source, range);
}

function checkOf({ value, range }: Found, source: SourceFile): CheckOptions {
  return parseCheckOptions(value.split(" ")[0] ?? "", (reason) => {
    throw new DockerfileError(reason, source, range);
  });
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  t: true,
  false: false,
  "0": false,
  f: false,
};

/** `skip=RULE,RULE;experimental=RULE;error=true`, of a directive or of the build argument BUILDKIT_DOCKERFILE_CHECK. */
export function parseCheckOptions(text: string, fail: (reason: string) => never): CheckOptions {
  const options = { skip: [] as string[], experimental: [] as string[], error: false };
  for (const part of text.split(";").filter((one) => one.trim() !== "")) {
    const [key = "", value] = part.split(/=(.*)/s).map((one) => one.trim());
    if (value === undefined) fail(`invalid check option ${JSON.stringify(part)}`);
    const rules = value.split(",").map((rule) => rule.trim());
    if (key === "skip") options.skip = rules;
    else if (key === "experimental") options.experimental = rules;
    else if (key === "error") {
      options.error = truths[value.toLowerCase()] ?? fail(`failed to parse check option ${JSON.stringify(part)}`);
    } else fail(`invalid check option ${JSON.stringify(key)}`);
  }
  return options;
}
