import { SampanError } from "../../errors/index.ts";
import type { Healthcheck } from "../../images/types.ts";
import type { ContainerConfig } from "../config.ts";
import { type OwnProbe, ownProbe } from "./own-probes.ts";

export type FailureAction = "restart" | "kill" | "stop";

/** How a container is probed. Times in milliseconds. */
export interface Probe {
  /** A command in the container, or one of our own looks at it. */
  readonly check: { readonly kind: "command"; readonly command: readonly string[] } | OwnProbe;
  /** Between the end of a probe and the next. */
  readonly interval: number;
  /** The same while it is starting. */
  readonly startInterval: number;
  /** While it is younger than that and has never been well, failures do not count. */
  readonly startPeriod: number;
  readonly timeout: number;
  /** So many failures in a row make it unhealthy. */
  readonly retries: number;
  /** What becomes of a container that is unhealthy. */
  readonly onFailure?: FailureAction;
}

/** dockerd's. */
const usual = { interval: 30_000, startInterval: 5000, startPeriod: 0, timeout: 30_000, retries: 3 };
const nanoseconds = 1_000_000;

/** For clients and images that have no other word for it: as good as `Healthcheck.OnFailure`. */
const failureLabel = "sampan.health-on-failure";
const actions: readonly string[] = ["none", "restart", "kill", "stop"];

type Config = Pick<ContainerConfig, "Healthcheck" | "Shell"> & { readonly Labels?: ContainerConfig["Labels"] };

/** What a container's health check means; undefined where nothing is to be probed. */
export function probeOf(config: Config): Probe | undefined {
  const { Healthcheck } = config;
  const check = checkOf(config);
  if (check === undefined) return undefined;
  const time = (value: number | undefined, otherwise: number) => (value ? value / nanoseconds : otherwise);
  const action = failureAction(config);
  return {
    check,
    interval: time(Healthcheck?.Interval, usual.interval),
    startInterval: time(Healthcheck?.StartInterval, usual.startInterval),
    startPeriod: time(Healthcheck?.StartPeriod, usual.startPeriod),
    timeout: time(Healthcheck?.Timeout, usual.timeout),
    retries: Healthcheck?.Retries || usual.retries,
    ...(action !== "none" && { onFailure: action as FailureAction }),
  };
}

function checkOf({ Healthcheck, Shell }: Config): Probe["check"] | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (words.length === 0 || (kind !== "CMD" && kind !== "CMD-SHELL")) return undefined;
  const own = ownProbe(words);
  if (own !== undefined) return own;
  const shell = Shell !== undefined && Shell.length > 0 ? Shell : ["/bin/sh", "-c"];
  return { kind: "command", command: kind === "CMD" ? words : [...shell, ...words] };
}

function failureAction({ Healthcheck, Labels }: Config): string {
  return Healthcheck?.OnFailure || Labels?.[failureLabel] || "none";
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

/** Throws `invalid`, with dockerd's texts where it has any. */
export function validateHealthcheck(config: Config): void {
  const check = config.Healthcheck;
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check?.[name] ?? 0;
    if (value !== 0 && value < nanoseconds) {
      throw new SampanError("invalid", `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((check?.Retries ?? 0) < 0) throw new SampanError("invalid", "Retries in Healthcheck cannot be negative");
  checkOf(config);
  const action = failureAction(config);
  if (actions.includes(action)) return;
  throw new SampanError("invalid", `invalid action for health failures '${action}': use one of ${actions.join(", ")}`);
}
