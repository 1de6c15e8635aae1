import { invalid } from "../errors.ts";

const powers = ["", "k", "m", "g", "t", "p"];

/** A size in bytes with docker's binary suffixes: `64m`, `1.5g`, `512k`, `100b`, `1024`, `2GiB`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-zA-Z]*)$/.exec(text);
  if (match === null) throw invalid(`invalid size: '${text}'`);
  const [, number = "", suffix = ""] = match;
  const power = powers.indexOf(suffix.toLowerCase().replace(/i?b$/, ""));
  if (power < 0) throw invalid(`invalid suffix: '${suffix}'`);
  return Math.floor(Number(number) * 1024 ** power);
}

/** As parseSize, and `-1` for "without limit" (memory plus swap). */
export function parseSizeOrUnlimited(text: string): number {
  return text === "-1" ? -1 : parseSize(text);
}
