/** Strings that a test passes together: the arguments of a call or the members of a list, null for what is no literal. */
export interface Said {
  /** The function of the call, or of that in which the list is. */
  readonly callee: string;
  readonly items: readonly (string | null)[];
  /** The test in which it is said; undefined outside of all. */
  readonly test: string | undefined;
}

interface Frame {
  readonly open: string;
  readonly callee: string;
  readonly items: (string | null)[];
  filled: boolean;
  hasText: boolean;
}

/** What tokens of TypeScript a scan has to know: comments, strings, templates without nesting, regular expressions, brackets. */
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|(?<=[(,=:[!&|?{};]\s*)\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*|[([{]|[)\]}]|,|[^\s"'`()[\]{},/]+|\//g;

/** All that the text of a test file says in calls and lists. */
export function scan(text: string): Said[] {
  const said: Said[] = [];
  const frames: Frame[] = [];
  for (const match of text.matchAll(token)) {
    const [all, double, single, template] = match;
    const frame = frames.at(-1);
    const literal = double ?? single ?? template?.replace(/\$\{[^}]*\}/g, "…");
    if (all.startsWith("//") || all.startsWith("/*")) continue;
    if (literal !== undefined) {
      if (frame !== undefined && !frame.hasText) fill(frame, literal.replaceAll("\\", ""));
    } else if (/^[([{]$/.test(all)) {
      if (frame !== undefined) frame.hasText = true;
      frames.push({
        open: all,
        callee: calleeOf(text, match.index, all, frame),
        items: [],
        filled: false,
        hasText: false,
      });
    } else if (/^[)\]}]$/.test(all)) close(frames, said);
    else if (all === ",") next(frame);
    else if (frame !== undefined) frame.hasText = true;
  }
  return said;
}

function fill(frame: Frame, literal: string): void {
  frame.items.push(literal);
  frame.filled = true;
}

function next(frame: Frame | undefined): void {
  if (frame === undefined) return;
  if (!frame.filled && frame.hasText) frame.items.push(null);
  frame.filled = false;
  frame.hasText = false;
}

function close(frames: Frame[], said: Said[]): void {
  const frame = frames.pop();
  if (frame === undefined) return;
  next(frame);
  const test = frames.find(({ callee }) => callee === "test")?.items[0] ?? undefined;
  if (frame.open !== "{") said.push({ callee: frame.callee, items: frame.items, test });
}

function calleeOf(text: string, at: number, open: string, parent: Frame | undefined): string {
  const before = /([\w.#]+)\s*$/.exec(text.slice(Math.max(0, at - 80), at))?.[1];
  return open === "(" ? (before ?? "") : (parent?.callee ?? "");
}
