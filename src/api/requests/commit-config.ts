import * as z from "zod";
import type { CommitRequest } from "../../engine/types.ts";
import { struct, validateJson } from "./validate.ts";

const texts = z.array(z.string());
const objects = z.record(z.string(), z.looseObject({}));

/** The form of Entrypoint and Cmd that is one text. */
const command = z.union([texts, z.string().transform((text) => [text])]);

const body = struct({
  User: z.string(),
  ExposedPorts: objects,
  Env: texts,
  Entrypoint: command,
  Cmd: command,
  Volumes: objects,
  WorkingDir: z.string(),
  Labels: z.record(z.string(), z.string()),
  StopSignal: z.string(),
  OnBuild: texts,
  Shell: texts,
});

/** The body of POST /commit: what the image is to say instead of what the container has. */
export function parseCommitConfig(json: unknown): CommitRequest["config"] {
  if (json === undefined || json === null) return undefined;
  const given = Object.entries(validateJson(body, json)).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as CommitRequest["config"];
}
