import { invalid } from "../errors.ts";

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** A Go duration such as `1h30m` or `1.5s`, in seconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, number = "", unit = ""] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    seconds += Number(number) * (unitSeconds[unit] ?? 0);
  }
  return text.startsWith("-") ? -seconds : seconds;
}

/**
 * A moment of the log as the API wants it, unix seconds with a fraction: an RFC 3339 time or a part of one, a unix time, or
 * a duration before now.
 */
export function parseMoment(text: string, now = Date.now()): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const duration = parseDuration(text);
  if (duration !== undefined) return (now / 1000 - duration).toFixed(9);
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2})?)?)(\.\d+)?)?(Z|[-+]\d{2}:\d{2})?$/.exec(text);
  if (match !== null) {
    const [, day = "", time = "00", fraction = "", zone = ""] = match;
    const full = `${time}:00:00`.slice(0, 8);
    const milliseconds = Date.parse(`${day}T${full}${zone}`);
    if (!Number.isNaN(milliseconds)) return `${Math.floor(milliseconds / 1000)}${fraction || ".000000000"}`;
  }
  throw invalid(`cannot read ${JSON.stringify(text)} as a time: wanted 2013-01-02T13:23:37Z, 42m or a unix time`);
}
