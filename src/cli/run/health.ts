import type { Healthcheck } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { flag, integer, parsed, text, type ValuesOf } from "../options.ts";
import { parseDuration } from "../parsing/moment.ts";

const duration = (help: string) => parsed("", help, "duration", nanoseconds);

/** The flags of `run` and `create` about the container's health. */
export const healthFlags = {
  "health-cmd": text("", "Command to run to check health"),
  "health-file": text("", "Path in the container that exists when it is healthy (no process is run)", "path"),
  "health-http": text("", "URL that answers when it is healthy, as seen from inside (no process is run)", "url"),
  "health-interval": duration("Time between running the check (ms|s|m|h)"),
  "health-on-failure": text("", 'What to do when it is unhealthy (none|restart|kill|stop) (default "none")'),
  "health-retries": integer("", "Consecutive failures needed to report unhealthy"),
  "health-start-interval": duration("Time between running the check during the start period (ms|s|m|h)"),
  "health-start-period": duration(
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)",
  ),
  "health-tcp": text("", "Port that takes connections when it is healthy (no process is run)", "[host:]port"),
  "health-timeout": duration("Maximum time to allow one check to run (ms|s|m|h)"),
  "no-healthcheck": flag("", "Disable any container-specified HEALTHCHECK"),
};

/** What they say, in the API's words; undefined when they say nothing. Throws with docker's texts. */
export function healthcheckOf(values: ValuesOf<typeof healthFlags>): Healthcheck | undefined {
  const { "health-retries": Retries } = values;
  const times = {
    Interval: values["health-interval"],
    Timeout: values["health-timeout"],
    StartPeriod: values["health-start-period"],
    StartInterval: values["health-start-interval"],
  };
  const OnFailure = values["health-on-failure"] || undefined;
  const test = testOf(values);
  const said = Object.entries({ ...times, Retries, OnFailure }).filter(
    ([, value]) => value !== undefined && value !== 0,
  );
  if (values["no-healthcheck"]) {
    if (test !== undefined || said.length > 0) throw invalid("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  for (const [name, value] of said) {
    if (Number(value) < 0) throw invalid(`--health-${flagOf[name]} cannot be negative`);
  }
  const check = { ...(test && { Test: test }), ...Object.fromEntries(said) };
  return Object.keys(check).length === 0 ? undefined : check;
}

/** Sampan's own probes are commands of its own, which every client can write as `--health-cmd`. */
function testOf(values: ValuesOf<typeof healthFlags>): readonly string[] | undefined {
  const { "health-cmd": command, "health-file": file, "health-http": url, "health-tcp": port } = values;
  const tests = [
    ...(command ? [["CMD-SHELL", command]] : []),
    ...(file ? [["CMD", "sampan:file", file]] : []),
    ...(url ? [["CMD", "sampan:http", url]] : []),
    ...(port ? [["CMD", "sampan:tcp", port]] : []),
  ];
  if (tests.length > 1)
    throw invalid("only one of --health-cmd, --health-file, --health-http and --health-tcp can be used");
  return tests[0];
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
