import { SampanError } from "../../errors/index.ts";
import { logAttributes } from "../logs/attributes.ts";
import { LogReader } from "../logs/read.ts";
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
  const reader = new LogReader(container.files.log, {
    tty: config.Tty,
    streams,
    tail,
    since,
    until,
    timestamps: options.timestamps ?? false,
    prefix: options.details ? `${logAttributes(container.record)} ` : "",
    follow: options.follow && container.isRunning ? endOf(container, options.signal) : undefined,
  });
  container.logReaders.add(reader);
  return { tty: config.Tty, opened: reader.opened, chunks: chunksOf(reader, container) };
}

async function* chunksOf(reader: LogReader, { logReaders }: Container): AsyncGenerator<Uint8Array> {
  try {
    yield* reader.chunks();
  } finally {
    logReaders.delete(reader);
  }
}

/** Whoever reads the log of a container that is about to be removed gets the rest of it all the same. */
export async function holdLogs({ logReaders }: Container): Promise<void> {
  // One that cannot be read is told to its reader.
  for (const reader of logReaders) await reader.hold().catch(() => {});
}

async function endOf(container: Container, signal: AbortSignal | undefined): Promise<void> {
  await container.nextExit(signal).catch(() => {});
}
