import { SampanError } from "../../errors/index.ts";
import type { Healthcheck } from "../../images/types.ts";
import type { ContainerConfig } from "../config.ts";

/** How a container is probed. Times in milliseconds. */
export interface Probe {
  readonly command: readonly string[];
  /** Between the end of a probe and the next. */
  readonly interval: number;
  /** The same while it is starting. */
  readonly startInterval: number;
  /** While it is younger than that and has never been well, failures do not count. */
  readonly startPeriod: number;
  readonly timeout: number;
  /** So many failures in a row make it unhealthy. */
  readonly retries: number;
}

/** dockerd's. */
const usual = { interval: 30_000, startInterval: 5000, startPeriod: 0, timeout: 30_000, retries: 3 };
const nanoseconds = 1_000_000;

/** What a container's health check means; undefined where nothing is to be probed. */
export function probeOf({ Healthcheck, Shell }: Pick<ContainerConfig, "Healthcheck" | "Shell">): Probe | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (words.length === 0) return undefined;
  const shell = Shell !== undefined && Shell.length > 0 ? Shell : ["/bin/sh", "-c"];
  const command = kind === "CMD" ? words : kind === "CMD-SHELL" ? [...shell, ...words] : undefined;
  if (command === undefined) return undefined;
  const time = (value: number | undefined, otherwise: number) => (value ? value / nanoseconds : otherwise);
  return {
    command,
    interval: time(Healthcheck?.Interval, usual.interval),
    startInterval: time(Healthcheck?.StartInterval, usual.startInterval),
    startPeriod: time(Healthcheck?.StartPeriod, usual.startPeriod),
    timeout: time(Healthcheck?.Timeout, usual.timeout),
    retries: Healthcheck?.Retries || usual.retries,
  };
}

/** What the request and the image say together: the request wins where it says something. */
export function mergeHealthcheck(
  request: Healthcheck | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  if (request === undefined || image === undefined) return request ?? image;
  if ((request.Test?.length ?? 0) > 0 && request.Test?.[0] === "NONE") return request;
  const said = Object.entries(request).filter(([name, value]) => (name === "Test" ? value.length > 0 : value));
  return { ...image, ...Object.fromEntries(said) };
}

/** Throws `invalid` with dockerd's texts. */
export function validateHealthcheck(check: Healthcheck | undefined): void {
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check?.[name] ?? 0;
    if (value !== 0 && value < nanoseconds) {
      throw new SampanError("invalid", `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((check?.Retries ?? 0) < 0) throw new SampanError("invalid", "Retries in Healthcheck cannot be negative");
}
