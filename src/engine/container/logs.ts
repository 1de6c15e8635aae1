import { SampanError } from "../../errors/index.ts";
import { logAttributes } from "../logs/attributes.ts";
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
      prefix: options.details ? `${logAttributes(container.record)} ` : "",
      follow: options.follow && container.isRunning ? endOf(container, options.signal) : undefined,
    }),
  };
}

async function endOf(container: Container, signal: AbortSignal | undefined): Promise<void> {
  await container.nextExit(signal).catch(() => {});
}
