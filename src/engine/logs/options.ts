import { existsSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { LogConfig } from "../config.ts";
import { parseSize } from "../request/size.ts";
import { journalSocket, syslogDestination } from "./ship/destination.ts";

/** How a monitor keeps a log: bytes per file and number of files. Undefined: it keeps none. */
export interface LogLimits {
  readonly maxSize: number;
  readonly maxFiles: number;
}

const mebibyte = 1024 * 1024;

/** A log nobody limited must not fill the disk: docs/decisions/logs.md. */
const defaults: LogLimits = { maxSize: 10 * mebibyte, maxFiles: 5 };

/** What each driver takes besides `mode` and `max-buffer-size`. All write the same log; see docs/decisions/logs.md. */
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  "json-file": ["max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"],
  local: ["max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"],
  none: [],
  journald: ["labels", "labels-regex", "env", "env-regex", "tag"],
  syslog: [
    ...["labels", "labels-regex", "env", "env-regex", "tag"],
    ...["syslog-address", "syslog-facility", "syslog-format"],
  ],
};

/** Throws for a log driver or an option that is not there or cannot be honoured, with dockerd's texts. */
export function validateLogConfig({ Type, Config }: LogConfig): void {
  const known = Object.hasOwn(optionsOf, Type) ? optionsOf[Type] : undefined;
  if (known === undefined) throw unknownDriver(Type);
  if (Type === "none") return;
  validateMode(Config);
  for (const option of Object.keys(Config)) {
    if (known.includes(option) || option === "mode" || option === "max-buffer-size") continue;
    const where = Type === "local" ? `log driver ${Type}` : `${Type} log driver`;
    throw new SampanError("invalid", `unknown log opt '${option}' for ${where}`);
  }
  if (isTrue("compress", Config.compress)) {
    throw new SampanError("unsupported", "Cannot honour the log option compress: rotated logs are kept as they are");
  }
  for (const name of ["labels-regex", "env-regex"]) pattern(name, Config[name]);
  validateTag(Config.tag ?? "");
  if (Type === "syslog") syslogDestination(Config);
  if (Type === "journald" && !existsSync(journalSocket)) {
    throw new SampanError("invalid", "failed to initialize logging driver: journald is not enabled on this host");
  }
  logLimits({ Type, Config });
}

/** What `tag` may name, as in Go's templates. */
export type TagField =
  | "ID"
  | "FullID"
  | "Name"
  | "FullName"
  | "ImageID"
  | "ImageFullID"
  | "ImageName"
  | "Command"
  | "DaemonName";

const tagFields: Readonly<Record<TagField, true>> = {
  ID: true,
  FullID: true,
  Name: true,
  FullName: true,
  ImageID: true,
  ImageFullID: true,
  ImageName: true,
  Command: true,
  DaemonName: true,
};

/** `tag` with the fields in braces replaced. */
export function expandTag(tag: string, value: (field: TagField) => string): string {
  return tag.replace(/\{\{\s*\.?(.*?)\s*\}\}/g, (_, field: string) => {
    if (Object.hasOwn(tagFields, field)) return value(field as TagField);
    throw new SampanError("invalid", `Cannot honour the log option tag=${tag}: there is no {{.${field}}}`);
  });
}

function validateTag(tag: string): void {
  expandTag(tag, () => "");
}

function unknownDriver(type: string): SampanError {
  return new SampanError("invalid", `error looking up logging plugin ${type}: plugin "${type}" not found`);
}

/** A monitor's write goes to the kernel's memory and waits for nobody, so both modes are the same here. */
function validateMode({ mode, "max-buffer-size": size }: LogConfig["Config"]): void {
  if (!["", "blocking", "non-blocking"].includes(mode ?? "")) {
    throw new SampanError("invalid", `logger: logging mode not supported: ${mode}`);
  }
  if (size === undefined) return;
  if (mode !== "non-blocking") {
    throw new SampanError("invalid", "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  try {
    logSize(size);
  } catch (cause) {
    throw new SampanError("invalid", `error parsing option max-buffer-size: invalid size: '${size}'`, { cause });
  }
}

function isTrue(name: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new SampanError(
    "invalid",
    `invalid value for log opt ${name}: ${JSON.stringify(text)} is neither true nor false`,
  );
}

/** The regular expression of a log option. */
export function pattern(name: string, text: string | undefined): RegExp | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new SampanError("invalid", `invalid value for log opt ${name}: ${(cause as Error).message}`, { cause });
  }
}

/** `--log-driver` and the options max-size and max-file. Throws `invalid` with dockerd's texts. */
export function logLimits({ Type, Config }: LogConfig): LogLimits | undefined {
  if (Type === "none") return undefined;
  const maxSize = Config["max-size"] === undefined ? undefined : logSize(Config["max-size"]);
  const maxFiles = Config["max-file"] === undefined ? undefined : Number(Config["max-file"]);
  if (maxFiles !== undefined && !(Number.isInteger(maxFiles) && maxFiles >= 1)) {
    throw new SampanError("invalid", "max-file cannot be less than 1");
  }
  return {
    maxSize: maxSize ?? defaults.maxSize,
    maxFiles: maxFiles ?? (maxSize === undefined ? defaults.maxFiles : 1),
  };
}

/** "10m"; -1 is no limit, which the monitor writes as 0. */
function logSize(text: string): number {
  if (text === "-1") return 0;
  const size = parseSize(text);
  if (size === 0) throw new SampanError("invalid", `invalid size: '${text}'`);
  return size;
}
