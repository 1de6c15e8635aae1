import { type Available, requireFile } from "./available.ts";
import type { PidsResources } from "./resources.ts";

/** One value for one file of a cgroup. */
export interface Write {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** For people: "use 64 MiB of memory at most". */
  readonly note: string;
}

/** The present value of a file; undefined for a cgroup that is just being made, where it is the kernel's default. */
export type Current = (controller: string, file: string) => string | undefined;

/** In a cgroup that does not exist yet nothing is limited. */
export const fresh: Current = () => undefined;

/** Collects writes in their order and refuses those that this machine has no file for. */
export class Limits {
  readonly writes: Write[] = [];
  readonly #available: Available;

  constructor(available: Available) {
    this.#available = available;
  }

  /** `what` is an infinitive for errors and for the reader of a program. */
  set(what: string, controller: string, file: string, value: string | number): void {
    requireFile(this.#available, what, controller, file);
    this.writes.push({ controller, file, value: String(value), note: what });
  }

  has(controller: string, file: string): boolean {
    return this.#available.missing(controller) === undefined && this.#available.has(controller, file);
  }
}

/** The file is the same in v1 and v2. To lift a limit that this machine cannot set is no error. */
export function setPids(limits: Limits, { limit }: PidsResources): void {
  if (limit <= 0 && !limits.has("pids", "pids.max")) return;
  const text = limit > 0 ? String(limit) : "max";
  limits.set(`allow ${text} processes`, "pids", "pids.max", text);
}

/** "64 MiB", "1000 bytes": sizes as people wrote them. */
export function sizeText(bytes: number): string {
  if (bytes < 0) return "unlimited";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value} ${units[unit]}`;
}

/** A number of the OCI spec, where anything negative is no limit, as v2 files want it. */
export function orMax(value: number): string {
  return value < 0 ? "max" : String(value);
}
