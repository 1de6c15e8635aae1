import { clean } from "./pattern.ts";

/**
 * The patterns of a `.dockerignore`: one a line, `#` at a line's very beginning makes it a comment, paths count from the
 * context's root whether they begin with a slash or not.
 */
export function readIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const negated = line.startsWith("!");
      const path = negated ? line.slice(1).trim() : line;
      return (negated ? "!" : "") + (path === "" ? "" : rooted(clean(path)));
    });
}

function rooted(path: string): string {
  return path.length > 1 && path.startsWith("/") ? path.slice(1) : path;
}
