import { SampanError } from "../../errors/index.ts";
import type { ImageDefaults } from "../../images/types.ts";
import type { ContainerConfig } from "../config.ts";
import { mergeHealthcheck } from "../health/probe.ts";

/**
 * What the request and the image say together, by dockerd's rules: the request wins; variables, labels, ports and volumes
 * are united; an entrypoint of the request drops the image's command, a command keeps the image's entrypoint.
 */
export function mergeImage(request: ContainerConfig, image: ImageDefaults): ContainerConfig {
  const { Entrypoint, Cmd } = command(request, image);
  const exposed = united(request.ExposedPorts, image.ExposedPorts);
  return withoutUndefined({
    ...request,
    Entrypoint,
    Cmd,
    User: request.User || image.User || "",
    Env: mergeEnv(request.Env, image.Env ?? []),
    WorkingDir: request.WorkingDir || image.WorkingDir || "",
    Labels: { ...image.Labels, ...request.Labels },
    Volumes: united(request.Volumes, image.Volumes) ?? null,
    ExposedPorts: exposed,
    StopSignal: request.StopSignal || image.StopSignal,
    StopTimeout: request.StopTimeout ?? image.StopTimeout,
    Shell: request.Shell ?? image.Shell,
    Healthcheck: mergeHealthcheck(request.Healthcheck, image.Healthcheck),
  });
}

/** The executable and its arguments. Throws `invalid` when there is nothing to run. */
export function commandLine(config: Pick<ContainerConfig, "Entrypoint" | "Cmd">): {
  path: string;
  args: readonly string[];
} {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw new SampanError("invalid", "no command specified");
  return { path, args };
}

function command(request: ContainerConfig, image: ImageDefaults): Pick<ContainerConfig, "Entrypoint" | "Cmd"> {
  const { Entrypoint, Cmd } = request;
  // `--entrypoint ""` arrives as one empty word and means: none, not the image's either.
  if (Entrypoint?.length === 1 && Entrypoint[0] === "") return { Entrypoint: null, Cmd };
  if (Entrypoint !== null && Entrypoint.length > 0) return { Entrypoint, Cmd };
  return {
    Entrypoint: Entrypoint ?? image.Entrypoint ?? null,
    Cmd: Cmd === null || Cmd.length === 0 ? (image.Cmd ?? null) : Cmd,
  };
}

function mergeEnv(request: readonly string[], image: readonly string[]): string[] {
  const set = new Set(request.map(nameOf));
  return [...request, ...image.filter((variable) => !set.has(nameOf(variable)))];
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}

type Keys = Readonly<Record<string, object>>;

function united(one: Keys | null | undefined, other: Keys | null | undefined): Keys | undefined {
  return one || other ? { ...other, ...one } : undefined;
}

/** So that JSON, a spread and `exactOptionalPropertyTypes` agree about what is there. */
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
