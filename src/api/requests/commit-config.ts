import type { CommitRequest } from "../../engine/types.ts";
import { containerConfig } from "./create-container.ts";
import { struct, validateJson } from "./validate.ts";

/** The part of a container config that an image keeps. */
const body = struct({
  User: containerConfig.User,
  ExposedPorts: containerConfig.ExposedPorts,
  Env: containerConfig.Env,
  Entrypoint: containerConfig.Entrypoint,
  Cmd: containerConfig.Cmd,
  Volumes: containerConfig.Volumes,
  WorkingDir: containerConfig.WorkingDir,
  Labels: containerConfig.Labels,
  StopSignal: containerConfig.StopSignal,
  StopTimeout: containerConfig.StopTimeout,
  Healthcheck: containerConfig.Healthcheck,
  OnBuild: containerConfig.OnBuild,
  Shell: containerConfig.Shell,
});

/** The body of POST /commit: what the image is to say instead of what the container has. */
export function parseCommitConfig(json: unknown): CommitRequest["config"] {
  if (json === undefined || json === null) return undefined;
  const given = Object.entries(validateJson(body, json)).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as CommitRequest["config"];
}
