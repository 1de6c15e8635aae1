import { SampanError } from "../../errors/index.ts";
import { readLog } from "../logs/read.ts";
import type { LogOptions, LogReading } from "../types.ts";
import type { Container } from "./live.ts";

/** A container's log; "unsupported" when it keeps none. */
export function readContainerLog(container: Container, options: LogOptions): LogReading {
  const { config, hostConfig } = container.record;
  if (hostConfig.LogConfig.Type === "none") {
    throw new SampanError("unsupported", "configured logging driver does not support reading");
  }
  if (!options.stdout && !options.stderr) {
    throw new SampanError("invalid", "Bad parameters: you must choose at least one stream");
  }
  const { tail, since, until } = options;
  const streams = new Set([...(options.stdout ? [1] : []), ...(options.stderr ? [2] : [])]);
  return {
    tty: config.Tty,
    chunks: readLog(container.files.log, {
      tty: config.Tty,
      streams,
      tail,
      since,
      until,
      timestamps: options.timestamps ?? false,
      prefix: options.details ? details(container) : "",
      follow: options.follow && container.isRunning ? endOf(container, options.signal) : undefined,
    }),
  };
}

async function endOf(container: Container, signal: AbortSignal | undefined): Promise<void> {
  await container.nextExit(signal).catch(() => {});
}

/** The labels and variables that the log driver's options name, in front of every line: "a=b,c=d ". */
function details({ record: { config, hostConfig } }: Container): string {
  const { labels = "", env = "" } = hostConfig.LogConfig.Config;
  const wanted = (text: string) => text.split(",").filter((name) => name !== "");
  const variables = new Map(config.Env.map((variable) => [variable.split("=", 1)[0], variable]));
  const pairs = [
    ...wanted(labels).flatMap((name) => (Object.hasOwn(config.Labels, name) ? [`${name}=${config.Labels[name]}`] : [])),
    ...wanted(env).flatMap((name) => variables.get(name) ?? []),
  ];
  return `${pairs.join(",")} `;
}
