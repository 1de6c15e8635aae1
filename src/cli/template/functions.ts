import { executionError, type Place, placed } from "./error.ts";
import { goString, isTruth } from "./print.ts";

type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Go's own functions and those docker adds. `and` and `or` are the evaluator's: they leave arguments unevaluated. */
const functions: Readonly<Record<string, TemplateFunction>> = {
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
  print: printed,
  println: (...values) => `${values.map(goString).join(" ")}\n`,
  printf: (format, ...values) => formatted(String(format), values),
  urlquery: (text) => encodeURIComponent(String(text)).replaceAll("%20", "+"),
  html: (text) => String(text).replace(/[&<>"']/g, (character) => entities[character] ?? character),
  js: (text) => String(text).replace(/[\\'"<>&=]/g, (character) => scriptEscapes[character] ?? character),
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

const scriptEscapes: Readonly<Record<string, string>> = {
  ...{ "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D" },
};

/** How many arguments a function takes; those that are not here take any number. */
const arities: Readonly<Record<string, number>> = {
  ...{ json: 1, join: 2, split: 2, lower: 1, upper: 1, title: 1, pad: 3, truncate: 2, not: 1, len: 1 },
  ...{ ne: 2, lt: 2, le: 2, gt: 2, ge: 2 },
};

const least: Readonly<Record<string, number>> = { and: 1, or: 1, eq: 1, index: 1, slice: 1, printf: 1 };

/** Whether a word of a template is a function's name. */
export function isFunction(name: string): boolean {
  return Object.hasOwn(functions, name) || name === "and" || name === "or";
}

/** Calls a function. `place` is that of its name. */
export function call(name: string, place: Place, args: readonly unknown[]): unknown {
  placed(place, () => {
    const count = arities[name];
    const minimum = least[name] ?? 0;
    const wanted = count === undefined ? `at least ${minimum}` : String(count);
    if (count === undefined ? args.length >= minimum : args.length === count) return;
    throw executionError(`wrong number of args for ${name}: want ${wanted} got ${args.length}`);
  });
  return functions[name]?.(...args);
}

/** What Go calls the type of a value. */
export function goType(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}

/** As Go's Sprint: a space between two that are no strings. */
function printed(...values: readonly unknown[]): string {
  let text = "";
  for (const [index, value] of values.entries()) {
    const before = values[index - 1];
    if (index > 0 && typeof value !== "string" && typeof before !== "string") text += " ";
    text += goString(value);
  }
  return text;
}

function asList(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw executionError(`wrong type for value; expected []string; got ${goType(value)}`);
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const basic = ["string", "number", "boolean"];
  if (typeof a !== typeof b && basic.includes(typeof a) && basic.includes(typeof b)) {
    throw executionError("error calling eq: incompatible types for comparison");
  }
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
  throw executionError(`error calling len: len of type ${goType(value)}`);
}

function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const at = Number(key);
    if (at >= 0 && at < value.length) return value[at];
    throw executionError(`error calling index: index out of range: ${at}`);
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value);
    const byte = bytes[Number(key)];
    if (byte !== undefined) return byte;
    throw executionError(`error calling index: index out of range: ${key}`);
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
  const text = format.replace(
    /%([-0]?)(\d*)(?:\.(\d+))?([svdqtxfcUT%])/g,
    (_, flag: string, width: string, digits, verb) => {
      if (verb === "%") return "%";
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const text = verbText(verb, values[next++], digits as string | undefined);
      if (flag === "-") return text.padEnd(Number(width));
      return text.padStart(Number(width), flag === "0" ? "0" : " ");
    },
  );
  if (next >= values.length) return text;
  const extra = values.slice(next).map((value) => `${goType(value)}=${goString(value)}`);
  return `${text}%!(EXTRA ${extra.join(", ")})`;
}

function verbText(verb: string, value: unknown, digits: string | undefined): string {
  if (verb === "T") return goType(value);
  if (/[dcU]/.test(verb) && typeof value !== "number") return `%!${verb}(${goType(value)}=${goString(value)})`;
  if (verb === "c") return String.fromCodePoint(Number(value));
  if (verb === "U") return `U+${Number(value).toString(16).toUpperCase().padStart(4, "0")}`;
  if (verb === "q") return JSON.stringify(value);
  if (verb === "x") return typeof value === "number" ? value.toString(16) : Buffer.from(String(value)).toString("hex");
  if (verb === "f") return Number(value).toFixed(digits === undefined ? 6 : Number(digits));
  const text = goString(value);
  return digits === undefined ? text : text.slice(0, Number(digits));
}
