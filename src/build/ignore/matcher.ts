import { type Pattern, parsePattern } from "./pattern.ts";

/** Which of a list's patterns matched a directory or one above it; handed from directory to entry when walking. */
export type Matched = readonly boolean[];

/** A list of patterns where later ones overrule earlier ones: `.dockerignore`, `COPY --exclude`. */
export class PatternMatcher {
  readonly #patterns: readonly Pattern[];
  /** Whether some pattern is negated: then something below a match may still be wanted. */
  readonly hasNegations: boolean;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.flatMap((line) => parsePattern(line) ?? []);
    this.hasNegations = this.#patterns.some(({ negated }) => negated);
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether everything in a directory is meant: `*`, `**`. */
  get matchesAll(): boolean {
    return this.#patterns.some(({ text, negated }) => !negated && ["*", "**", "**/*"].includes(text));
  }

  /** Whether the last pattern that matches the path or a directory above it is not negated. */
  matches(path: string): boolean {
    const parts = path.split("/");
    let matched: Matched = [];
    let result = false;
    for (let length = 1; length <= parts.length; length++) {
      ({ result, matched } = this.step(parts.slice(0, length).join("/"), matched));
    }
    return result;
  }

  /** As `matches`, for a walk: `above` is what this gave for the directory that the path is in. */
  step(path: string, above: Matched): { readonly result: boolean; readonly matched: Matched } {
    let result = false;
    const matched = this.#patterns.map((pattern, index) => {
      // A pattern that cannot change the result is not looked at, and then does not count further down either.
      const match = above[index] === true || (pattern.negated === result && pattern.matches(path));
      if (match) result = !pattern.negated;
      return match;
    });
    return { result, matched };
  }

  /** Whether something below an excluded directory may be wanted after all, so that it must be looked into. */
  mayMatchBelow(directory: string): boolean {
    return this.#patterns.some((pattern) => pattern.negated && reachesBelow(pattern.text, directory));
  }
}

/** Docker looks into a directory when a negated pattern begins with its path, or with a wildcard somewhere on the way. */
function reachesBelow(pattern: string, directory: string): boolean {
  const wanted = pattern.split("/");
  const parts = directory.split("/");
  for (const [index, part] of parts.entries()) {
    const one = wanted[index];
    if (one === undefined) return false;
    if (/[*?[\\]/.test(one)) return true;
    if (one !== part) return false;
  }
  return true;
}
