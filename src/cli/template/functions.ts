import { executionError } from "./error.ts";
import { goString, isTruth } from "./print.ts";

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Go's own functions and those docker adds. `and` and `or` are the evaluator's: they leave arguments unevaluated. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  // Docker's.
  json: (value) => JSON.stringify(value ?? null),
  join: (values, separator) => asList(values).map(goString).join(String(separator)),
  split: (text, separator) => String(text).split(String(separator)),
  lower: (text) => String(text).toLowerCase(),
  upper: (text) => String(text).toUpperCase(),
  title: (text) => String(text).replace(/(^|\s)\S/g, (start) => start.toUpperCase()),
  pad: (text, before, after) =>
    text === "" ? "" : " ".repeat(Number(before)) + String(text) + " ".repeat(Number(after)),
  truncate: (text, length) => String(text).slice(0, Number(length)),
  // Go's.
  not: (value) => !isTruth(value),
  eq: (first, ...others) => others.some((other) => isSame(first, other)),
  ne: (a, b) => !isSame(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce(indexed, value),
  slice: (value, from, to) => sliced(value, from as number | undefined, to as number | undefined),
  print: (...values) => values.map(goString).join(values.some((value) => typeof value === "string") ? "" : " "),
  println: (...values) => `${values.map(goString).join(" ")}\n`,
  printf: (format, ...values) => formatted(String(format), values),
  urlquery: (text) => encodeURIComponent(String(text)).replaceAll("%20", "+"),
  html: (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
};

function asList(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw executionError(`wrong type for value; expected []string; got ${goString(value)}`);
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // A named string type, such as a state, equals a string constant; numbers never equal strings.
  return typeof a === typeof b && typeof a !== "object" && String(a) === String(b);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw executionError("error calling comparison: incompatible types for comparison");
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value === null || value === undefined) return 0;
  if (typeof value === "object") return Array.isArray(value) ? value.length : Object.keys(value).length;
  throw executionError(`error calling len: len of type ${typeof value}`);
}

function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const at = Number(key);
    if (at >= 0 && at < value.length) return value[at];
    throw executionError(`error calling index: index out of range: ${at}`);
  }
  if (typeof value === "object" && value !== null) return (value as Record<string, unknown>)[String(key)] ?? "";
  throw executionError("error calling index: index of untyped nil");
}

function sliced(value: unknown, from = 0, to?: number): unknown {
  if (typeof value === "string" || Array.isArray(value)) return value.slice(from, to);
  throw executionError("error calling slice: can't slice item");
}

/** The verbs of Go's fmt that format strings of docker users have: %s %v %d %q %t %x %f %%, with flags and widths. */
function formatted(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%([-0]?)(\d*)(?:\.(\d+))?([svdqtxf%])/g, (_, flag: string, width: string, digits, verb) => {
    if (verb === "%") return "%";
    if (next >= values.length) return `%!${verb}(MISSING)`;
    const text = verbText(verb, values[next++], digits as string | undefined);
    if (flag === "-") return text.padEnd(Number(width));
    return text.padStart(Number(width), flag === "0" ? "0" : " ");
  });
}

function verbText(verb: string, value: unknown, digits: string | undefined): string {
  if (verb === "q") return JSON.stringify(value);
  if (verb === "x") return typeof value === "number" ? value.toString(16) : Buffer.from(String(value)).toString("hex");
  if (verb === "f") return Number(value).toFixed(digits === undefined ? 6 : Number(digits));
  const text = goString(value);
  return digits === undefined ? text : text.slice(0, Number(digits));
}
