import * as z from "zod";
import type { VolumeRequest } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { notManager } from "./swarm.ts";
import { struct, validateJson } from "./validate.ts";

const texts = z.record(z.string(), z.string());
const body = struct({
  Name: z.string(),
  Driver: z.string(),
  DriverOpts: texts,
  Labels: texts,
  /** Of a volume that a swarm's nodes share. */
  ClusterVolumeSpec: z.unknown(),
});

/** The body of POST /volumes/create as the engine takes it. */
export function parseCreateVolume(json: unknown): VolumeRequest {
  const { Name, Driver, DriverOpts, Labels, ClusterVolumeSpec } = validateJson(body, json ?? {});
  if (ClusterVolumeSpec) throw new SampanError("unavailable", notManager);
  return { name: Name ?? "", driver: Driver ?? "", options: DriverOpts ?? {}, labels: Labels ?? {} };
}
