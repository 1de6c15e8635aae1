import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** The checkout. */
export const root = resolve(import.meta.dirname, "../..");

export interface Source {
  /** Relative to the checkout, with "/". */
  readonly path: string;
  readonly text: string;
  /** Module specifiers of its imports and re-exports, dynamic ones included. */
  readonly imports: readonly string[];
  /** Those of `imports` that are files of the checkout, as `path`. */
  readonly files: readonly string[];
  /** Those of `files` that are there at run time, too: not only for their types. */
  readonly loads: readonly string[];
}

const specifier =
  /(?:^|\n)\s*(?:import|export)\s[^;"']*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s*["']([^"']+)["']/g;

/** Every TypeScript file that matches, read and with its imports. */
export function sources(pattern: string): Source[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const found = [...text.matchAll(specifier)].map((match) => ({
        name: match[1] ?? match[2] ?? match[3] ?? "",
        isType: /^\s*(?:import|export) type\b/.test(match[0]),
      }));
      const file = (name: string) => relative(root, join(root, dirname(path), name));
      const own = found.filter(({ name }) => name.startsWith("."));
      return {
        path,
        text,
        imports: found.map(({ name }) => name),
        files: own.map(({ name }) => file(name)),
        loads: own.filter(({ isType }) => !isType).map(({ name }) => file(name)),
      };
    });
}
