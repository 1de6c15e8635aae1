import type { Healthcheck } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { flag, integer, parsed, text, type ValuesOf } from "../options.ts";
import { parseDuration } from "../parsing/moment.ts";

const duration = (help: string) => parsed("", help, "duration", nanoseconds);

/** The flags of `run` and `create` about the container's health. */
export const healthFlags = {
  "health-cmd": text("", "Command to run to check health"),
  "health-interval": duration("Time between running the check (ms|s|m|h)"),
  "health-retries": integer("", "Consecutive failures needed to report unhealthy"),
  "health-start-interval": duration("Time between running the check during the start period (ms|s|m|h)"),
  "health-start-period": duration(
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)",
  ),
  "health-timeout": duration("Maximum time to allow one check to run (ms|s|m|h)"),
  "no-healthcheck": flag("", "Disable any container-specified HEALTHCHECK"),
};

/** What they say, in the API's words; undefined when they say nothing. Throws with docker's texts. */
export function healthcheckOf(values: ValuesOf<typeof healthFlags>): Healthcheck | undefined {
  const { "health-cmd": command, "health-retries": Retries } = values;
  const times = {
    Interval: values["health-interval"],
    Timeout: values["health-timeout"],
    StartPeriod: values["health-start-period"],
    StartInterval: values["health-start-interval"],
  };
  const said = Object.entries({ ...times, Retries }).filter(([, value]) => value !== undefined && value !== 0);
  if (values["no-healthcheck"]) {
    if (command || said.length > 0) throw invalid("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  for (const [name, value] of said) {
    if (Number(value) < 0) throw invalid(`--health-${flagOf[name]} cannot be negative`);
  }
  const check = { ...(command ? { Test: ["CMD-SHELL", command] } : {}), ...Object.fromEntries(said) };
  return Object.keys(check).length === 0 ? undefined : check;
}

const flagOf: Readonly<Record<string, string>> = {
  Interval: "interval",
  Timeout: "timeout",
  StartPeriod: "start-period",
  StartInterval: "start-interval",
  Retries: "retries",
};

function nanoseconds(value: string): number {
  const seconds = parseDuration(value);
  if (seconds !== undefined) return Math.round(seconds * 1e9);
  if (value === "0") return 0;
  const fault = /^[-+]?\d+(\.\d*)?$/.test(value) ? "missing unit in duration" : "invalid duration";
  throw invalid(`time: ${fault} ${JSON.stringify(value)}`);
}
