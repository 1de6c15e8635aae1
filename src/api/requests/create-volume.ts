import * as z from "zod";
import type { VolumeRequest } from "../../engine/types.ts";
import { struct, validateJson } from "./validate.ts";

const texts = z.record(z.string(), z.string());
const body = struct({ Name: z.string(), Driver: z.string(), DriverOpts: texts, Labels: texts });

/** The body of POST /volumes/create as the engine takes it. */
export function parseCreateVolume(json: unknown): VolumeRequest {
  const { Name, Driver, DriverOpts, Labels } = validateJson(body, json ?? {});
  return { name: Name ?? "", driver: Driver ?? "", options: DriverOpts ?? {}, labels: Labels ?? {} };
}
