import { SampanError } from "../../errors/index.ts";
import type { LogConfig } from "../config.ts";

/** How a monitor keeps a log: bytes per file and number of files. Undefined: it keeps none. */
export interface LogLimits {
  readonly maxSize: number;
  readonly maxFiles: number;
}

const mebibyte = 1024 * 1024;

/** A log nobody limited must not fill the disk: 1 GiB in all. */
const defaults: LogLimits = { maxSize: 256 * mebibyte, maxFiles: 4 };

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1024,
  m: mebibyte,
  g: 1024 * mebibyte,
  t: 1024 * 1024 * mebibyte,
};

/** `--log-driver` and the options max-size and max-file. Throws `invalid` with dockerd's texts. */
export function logLimits({ Type, Config }: LogConfig): LogLimits | undefined {
  if (Type === "none") return undefined;
  const maxSize = Config["max-size"] === undefined ? undefined : parseSize(Config["max-size"]);
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
function parseSize(text: string): number {
  if (text === "-1") return 0;
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s?([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const size = Math.floor(Number(digits) * (units[unit.toLowerCase()] ?? 0));
  if (digits === "" || size <= 0) throw new SampanError("invalid", `invalid size: '${text}'`);
  return size;
}
