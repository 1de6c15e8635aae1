import type { Answer } from "./call.ts";

/** An answer as a flat table: "status", "header …" and every leaf of the body by its path. */
export type Flat = Readonly<Record<string, string>>;

/** One thing that two answers do not have in common; undefined where a side has nothing there. */
export interface Difference {
  readonly step: string;
  readonly path: string;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** A difference that is meant: `step` and `path` may contain "*", which stands for anything. */
export interface Listed {
  readonly step: string;
  readonly path: string;
  readonly why: string;
}

/**
 * Flattens an answer. What no two engines can have in common, identities and times, is replaced by its kind; `root` is
 * where the engine keeps its state.
 */
export function flatten({ status, headers, body }: Answer, root: string): Flat {
  const flat: Record<string, string> = { status: String(status) };
  for (const [name, value] of Object.entries(headers)) flat[`header ${name}`] = neutral(value, root);
  addLeaves(flat, "", body, root);
  return flat;
}

function addLeaves(flat: Record<string, string>, path: string, value: unknown, root: string): void {
  if (Array.isArray(value) && value.length > 0) {
    ordered(value).forEach((each, index) => {
      addLeaves(flat, `${path}[${index}]`, each, root);
    });
  } else if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [name, each] of Object.entries(value)) addLeaves(flat, `${path}.${neutral(name, root)}`, each, root);
  } else {
    flat[path === "" ? "body" : path] = typeof value === "string" ? JSON.stringify(neutral(value, root)) : leaf(value);
  }
}

function leaf(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** Lists whose order dockerd takes from a hash table are compared by what names their members. */
function ordered(list: readonly unknown[]): readonly unknown[] {
  for (const key of ["Name", "Destination", "PrivatePort"]) {
    const keyOf = (each: unknown) => (each as Record<string, unknown> | null)?.[key];
    if (list.every((each) => keyOf(each) !== undefined)) {
      return list.toSorted((a, b) => String(keyOf(a)).localeCompare(String(keyOf(b))));
    }
  }
  return list;
}

function neutral(text: string, root: string): string {
  return text
    .replaceAll(root, "<root>")
    .replace(/sha256:[0-9a-f]{64}/g, "<digest>")
    .replace(/[0-9a-f]{64}/g, "<id>")
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g, "<short id>")
    .replace(/(?!0001-)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, "<time>")
    .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>");
}

/** The kind of a leaf: what can be remembered of another engine's answer without its words. */
export function kindOf(value: string): string {
  if (/^(?:null|true|false|0|""|\[\]|\{\}|nothing)$/.test(value)) return value;
  if (/^-?[\d.e+]+$/.test(value)) return "number";
  const known = /^"<[a-z ]+>"$/.exec(value);
  if (known !== null) return value;
  return value === '"0001-01-01T00:00:00Z"' ? "no time" : "text";
}

/** The kinds of an answer; status and headers stay as they are. */
export function kindsOf(flat: Flat): Flat {
  const kinds = Object.entries(flat).map(([path, value]) => [path, isExact(path) ? value : kindOf(value)]);
  return Object.fromEntries(kinds);
}

function isExact(path: string): boolean {
  return path === "status" || (path.startsWith("header ") && !path.endsWith("path-stat"));
}

/** Where answers differ. What `varies` from run to run is compared by its kind. */
export function compare(step: string, ours: Flat, theirs: Flat, varies: readonly Listed[]): Difference[] {
  const paths = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return paths.flatMap((path) => {
    const byKind = varies.some((listed) => isListed(listed, step, path));
    const of = (flat: Flat) => (byKind && flat[path] !== undefined ? kindOf(flat[path]) : flat[path]);
    return of(ours) === of(theirs) ? [] : [{ step, path, ours: of(ours), theirs: of(theirs) }];
  });
}

export function isListed(listed: Listed, step: string, path: string): boolean {
  return pattern(listed.step).test(step) && pattern(listed.path).test(path);
}

const patterns = new Map<string, RegExp>();

function pattern(glob: string): RegExp {
  const known = patterns.get(glob);
  if (known !== undefined) return known;
  const parts = glob.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const made = new RegExp(`^${parts.join(".*")}$`);
  patterns.set(glob, made);
  return made;
}
