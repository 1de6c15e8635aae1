import type { ThrottleDevice, WeightDevice } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseSize } from "./size.ts";

const bytesForm =
  "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb";
const countForm = "<device-path>:<number>. Number must be a positive integer";

/** `--device-read-bps /dev/sda:1mb`: bytes per second. */
export function parseByteRate(text: string): ThrottleDevice {
  const [Path, rate] = deviceAnd(text);
  try {
    return { Path, Rate: parseSize(rate) };
  } catch {
    throw invalid(`invalid rate for device: ${text}. The correct format is ${bytesForm}`);
  }
}

/** `--device-read-iops /dev/sda:100`: operations per second. */
export function parseOperationRate(text: string): ThrottleDevice {
  const [Path, rate] = deviceAnd(text);
  if (!/^\d{1,15}$/.test(rate)) {
    throw invalid(`invalid rate for device: ${text}. The correct format is ${countForm}`);
  }
  return { Path, Rate: Number(rate) };
}

/** `--blkio-weight-device /dev/sda:200`: 10 to 1000, or 0. */
export function parseDeviceWeight(text: string): WeightDevice {
  const [Path, weight] = deviceAnd(text);
  const value = /^\d{1,4}$/.test(weight) ? Number(weight) : -1;
  if (value !== 0 && (value < 10 || value > 1000)) throw invalid(`invalid weight for device: ${text}`);
  return { Path, Weight: value };
}

function deviceAnd(text: string): [path: string, value: string] {
  const at = text.indexOf(":");
  if (at < 0 || at === text.length - 1) throw invalid(`bad format: ${text}`);
  const path = text.slice(0, at);
  if (!path.startsWith("/dev/")) throw invalid(`bad format for device path: ${text}`);
  return [path, text.slice(at + 1)];
}

/** `--device-cgroup-rule 'c 1:3 mr'`. */
export function parseDeviceRule(text: string): string {
  if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(text)) throw invalid(`invalid device cgroup format '${text}'`);
  return text;
}
