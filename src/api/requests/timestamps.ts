import { SampanError } from "../../errors/index.ts";

/** Unix time as clients send it, "1136073600" or "1136073600.000000001", in nanoseconds; `undefined` for none and 0. */
export function parseTimestamp(text: string | undefined): bigint | undefined {
  if (text === undefined || text === "" || text === "0") return undefined;
  const match = /^(-?\d{1,15})(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (match === null) throw new SampanError("invalid", `invalid timestamp ${JSON.stringify(text)}: invalid syntax`);
  const [, seconds = "0", fraction = ""] = match;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/**
 * A moment as the `until` filter of prune and images takes it: Unix time, an RFC 3339 date or time, or a Go duration
 * before `now`. In milliseconds.
 */
export function parseMoment(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  const date = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(date)) return date;
  throw new SampanError("invalid", `invalid filter 'until=[${text}]': neither a time nor a duration`);
}

const units: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A Go duration such as "1h30m" in milliseconds. */
function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(number) * (units[unit ?? ""] ?? 0);
  }
  return total;
}
