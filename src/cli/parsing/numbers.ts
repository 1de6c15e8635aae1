import { invalid } from "../errors.ts";

const trueWords = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const falseWords = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** A truth value as Go's flag package reads it: `true`, `1`, `t`, `false`, `0`, `f` and their capitals. */
export function parseBool(text: string): boolean {
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  throw invalid(`${JSON.stringify(text)} is not true or false`);
}

/** A whole decimal number within the limits (inclusive). */
export function parseInteger(text: string, limits: { min?: number; max?: number } = {}): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`${JSON.stringify(text)} is not a whole number`);
  const value = Number(text);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  if (value < min || value > max) throw invalid(`${text} is out of range: ${min} to ${max}`);
  return value;
}

/** A number of CPUs such as `0.5` in billionths, the unit of the API's NanoCpus. */
export function parseNanoCpus(text: string): number {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text);
  const [, whole = "", fraction = ""] = match ?? [];
  if (match === null || whole + fraction === "") throw invalid(`failed to parse ${text} as a number of CPUs`);
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > 9) throw invalid("value is too precise: at most 9 digits after the point");
  return Number(whole || "0") * 1_000_000_000 + Number(significant.padEnd(9, "0"));
}
