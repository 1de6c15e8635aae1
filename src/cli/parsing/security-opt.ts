import { readFileSync } from "node:fs";
import { invalid } from "../errors.ts";

/**
 * The `--security-opt` list as the API wants it: a seccomp profile's file is read here and its JSON sent inline, because
 * the daemon may not see the client's files.
 */
export function securityOptions(options: readonly string[]): string[] {
  return options.map((option) => {
    const match = /^([^=:]+)[=:](.*)$/s.exec(option);
    if (match === null) {
      if (option === "no-new-privileges") return option;
      throw invalid(`Invalid --security-opt: ${JSON.stringify(option)}`);
    }
    const [, key = "", value = ""] = match;
    if (key === "landlock") return `landlock=${isRules(value) ? value : readPolicy(value)}`;
    if (key !== "seccomp" || value === "unconfined" || value === "builtin") return `${key}=${value}`;
    return `seccomp=${readProfile(value)}`;
  });
}

/** Landlock's rules themselves: JSON, or words as `write=/tmp`. All else is the path of a file. */
function isRules(value: string): boolean {
  return /^\s*\{|^[a-z-]+=|^best-effort(,|$)/.test(value);
}

function readPolicy(path: string): string {
  return readJson("Landlock policy", path);
}

function readProfile(path: string): string {
  return readJson("seccomp profile", path);
}

function readJson(what: string, path: string): string {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? "no such file or directory" : code;
    throw invalid(`opening ${what} (${path}) failed: open ${path}: ${reason}`);
  }
  try {
    return JSON.stringify(JSON.parse(content));
  } catch {
    throw invalid(`compacting json for ${what} (${path}) failed: the file is not JSON`);
  }
}
