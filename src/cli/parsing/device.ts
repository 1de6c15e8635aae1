import type { DeviceMapping } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";

/** `--device /dev/x[:/dev/y][:rwm]`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(":");
  const [source = "", second, third] = parts;
  if (parts.length > 3 || source === "") throw invalid(`invalid device specification: ${text}`);
  if (parts.length === 2 && second !== undefined && isMode(second)) {
    return { PathOnHost: source, PathInContainer: source, CgroupPermissions: second };
  }
  if (third !== undefined && !isMode(third)) throw invalid(`invalid device mode: ${third}: use letters of rwm`);
  return { PathOnHost: source, PathInContainer: second || source, CgroupPermissions: third ?? "rwm" };
}

function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}
