import { appendFileSync, writeSync } from "node:fs";

/** Where errors and warnings go: as runc, with `--log` a file that whoever called reads for the last error, and always stderr. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

export interface LogOptions {
  readonly path: string | undefined;
  readonly format: "text" | "json";
  readonly debug: boolean;
}

type Level = "error" | "warning" | "debug";

/** One line as runc writes it, for whom containerd, conmon and dockerd have parsers. */
export function logLine(level: Level, message: string, time: Date, format: LogOptions["format"]): string {
  const at = `${time.toISOString().slice(0, 19)}Z`;
  if (format === "json") return `${JSON.stringify({ level, msg: message, time: at })}\n`;
  return `time="${at}" level=${level} msg=${JSON.stringify(message)}\n`;
}

/** A log for one command. What cannot be written is not told to anybody: the exit status says enough. */
export function openLog({ path, format, debug }: LogOptions): Log {
  const write = (level: Level, message: string): void => {
    const line = logLine(level, message, new Date(), format);
    attempt(() => {
      if (path === undefined) writeSync(2, line);
      else appendFileSync(path, line, { mode: 0o644 });
    });
  };
  return {
    error: (message) => {
      write("error", message);
      if (path !== undefined) attempt(() => writeSync(2, `${message}\n`));
    },
    warn: (message) => write("warning", message),
    debug: (message) => {
      if (debug) write("debug", message);
    },
  };
}

function attempt(action: () => unknown): void {
  try {
    action();
  } catch {}
}
