import type { VolumeUsage, VolumeView } from "../../engine/types.ts";
import type { Volume } from "../shapes/volume.ts";

/** One volume of GET /volumes, GET /volumes/{name} and POST /volumes/create. */
export function volumeInspect({ name, mountpoint, createdAt, labels, options }: VolumeView): Volume {
  return {
    CreatedAt: secondsOf(createdAt),
    Driver: "local",
    Labels: orNull(labels),
    Mountpoint: mountpoint,
    Name: name,
    Options: orNull(options),
    Scope: "local",
  };
}

/** One volume of GET /system/df. */
export function volumeDiskUsage({ volume, size }: VolumeUsage): Volume {
  return { ...volumeInspect(volume), UsageData: { RefCount: volume.users, Size: size } };
}

function orNull(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  return Object.keys(map).length === 0 ? null : map;
}

/** RFC 3339 without a fraction. */
function secondsOf(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString().replace(/\.\d+Z$/, "Z");
}
