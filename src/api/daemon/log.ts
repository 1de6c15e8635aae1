import { type DestinationStream, destination, type Logger, pino } from "pino";
import type { DaemonOptions } from "./options.ts";

/** The daemon's log: one JSON object per line, written at once, for a log that a crash loses its end of is none. */
export function createLog({ logLevel, logFile }: Pick<DaemonOptions, "logLevel" | "logFile">): Logger {
  const sink: DestinationStream = destination({ dest: logFile ?? 2, sync: true, append: true, mkdir: true });
  const { err } = pino.stdSerializers;
  const serializers = { err, error: err };
  return pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, sink);
}
