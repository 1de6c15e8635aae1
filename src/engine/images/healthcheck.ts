import { SampanError } from "../../errors/index.ts";
import type { Healthcheck } from "../../images/types.ts";

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

const flags: Readonly<Record<string, keyof Healthcheck>> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
  retries: "Retries",
};

/** What HEALTHCHECK says: NONE, or flags and CMD with a command in either form. */
export function healthcheckOf(text: string, json: (line: string) => string[] | undefined): Healthcheck {
  const found: Record<string, unknown> = {};
  let rest = text;
  for (let flag = /^--([a-z-]+)=(\S+)\s+/.exec(rest); flag !== null; flag = /^--([a-z-]+)=(\S+)\s+/.exec(rest)) {
    const [whole, name = "", value = ""] = flag;
    const key = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (key === undefined) throw new SampanError("invalid", `unknown flag: --${name}`);
    found[key] = key === "Retries" ? Number(value) : nanoseconds(value);
    rest = rest.slice(whole.length);
  }
  const [, type = "", command = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (type.toUpperCase() === "NONE" && command === "") return { Test: ["NONE"] };
  if (type.toUpperCase() !== "CMD")
    throw new SampanError("invalid", `unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  if (command === "") throw new SampanError("invalid", "missing command after HEALTHCHECK CMD");
  const words = json(command);
  return { Test: words === undefined ? ["CMD-SHELL", command] : ["CMD", ...words], ...found };
}

/** Go's durations: "1m30s". */
function nanoseconds(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new SampanError("invalid", `time: invalid duration ${JSON.stringify(text)}`);
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? 0), 0);
}
