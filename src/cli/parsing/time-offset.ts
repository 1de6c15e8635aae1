import type { TimeOffset, TimeOffsets } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseDuration } from "./moment.ts";

const names: Readonly<Record<string, keyof TimeOffsets>> = { monotonic: "Monotonic", boottime: "Boottime" };

/** `--time-offset`: "monotonic=24h,boottime=-1h30m", or one duration for both. Days are `d`. */
export function parseTimeOffset(text: string): TimeOffsets {
  if (!text.includes("=")) {
    const both = offsetOf(text, text);
    return { Monotonic: both, Boottime: both };
  }
  const offsets = text.split(",").map((part): [keyof TimeOffsets, TimeOffset] => {
    const [, clock = "", duration = ""] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    const name = names[clock];
    if (name === undefined) throw wrong(text, `${JSON.stringify(clock || part)} is no clock: monotonic, boottime`);
    return [name, offsetOf(duration, text)];
  });
  return Object.fromEntries(offsets);
}

/** Everything that was said, the last of each clock; undefined when nothing was. */
export function timeOffsets(said: readonly TimeOffsets[]): TimeOffsets | undefined {
  return said.length === 0 ? undefined : Object.assign({}, ...said);
}

/** Nanoseconds are always forward of the seconds, as in timespec(3). */
function offsetOf(duration: string, text: string): TimeOffset {
  const [, sign = "", days = "0", rest = ""] = /^([-+]?)(?:(\d+)d)?(.*)$/s.exec(duration) ?? [];
  const size = rest === "" && duration.endsWith("d") ? 0 : parseDuration(rest);
  if (size === undefined || /^[-+]/.test(rest)) {
    throw wrong(text, `${JSON.stringify(duration)} is no duration, as 24h, -1h30m or 7d`);
  }
  const nanoseconds = BigInt(days) * 86_400_000_000_000n + BigInt(Math.round(size * 1e9));
  const signed = sign === "-" ? -nanoseconds : nanoseconds;
  const within = ((signed % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { Secs: Number((signed - within) / 1_000_000_000n), Nanosecs: Number(within) };
}

function wrong(text: string, why: string): Error {
  return invalid(`invalid time offset ${JSON.stringify(text)}: ${why}`);
}
