import { parseCheckOptions } from "./directives.ts";
import { type RuleName, rules } from "./rules.ts";
import type { CheckOptions, Lint, SourceRange } from "./types.ts";

/** Collects lints, except those that the file or a comment above the instruction switches off. */
export class Linter {
  readonly lints: Lint[] = [];
  readonly #options: CheckOptions;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  /** `comments` are those directly above what the lint is about. */
  report(
    name: RuleName,
    message: string,
    at: { readonly range: SourceRange; readonly comments: readonly string[] },
  ): void {
    const { description, url, experimental } = rules[name];
    const options = [this.#options, ...at.comments.flatMap(checkComment)];
    const named = (list: readonly string[]) => list.includes("all") || list.includes(name);
    const wanted = experimental
      ? options.some((one) => named(one.experimental))
      : !options.some((one) => named(one.skip));
    if (!wanted) return;
    this.lints.push({ rule: name, description, url, message, range: at.range });
  }
}

/** `# check=skip=RULE` above an instruction; what cannot be read there is an ordinary comment. */
function checkComment(comment: string): CheckOptions[] {
  const text = /^check\s*=\s*(\S+)/i.exec(comment)?.[1];
  if (text === undefined) return [];
  let readable = true;
  const ignored = (): never => {
    readable = false;
    return undefined as never;
  };
  const options = parseCheckOptions(text, ignored);
  return readable ? [options] : [];
}
