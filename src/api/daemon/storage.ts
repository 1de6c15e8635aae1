import { parseSize } from "../../engine/request/size.ts";
import { messageOf, SampanError } from "../../errors/index.ts";

/**
 * Reads `--storage-opt overlay2.size=10G` of the daemon: the bytes that a container's writable layer may hold unless it says
 * otherwise. Undefined, or 0 in it, is no limit. Throws `invalid` for any other option: there is nothing else to choose.
 */
export function parseStorageOptions(given: readonly string[]): number | undefined {
  let limit: number | undefined;
  for (const option of given) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/.exec(option) ?? [];
    const key = name.trim().toLowerCase();
    if (key === "") throw new SampanError("invalid", `unable to parse key/value option: ${option}`);
    if (key !== "overlay2.size" && key !== "size") throw new SampanError("invalid", `overlay2: unknown option ${key}`);
    limit = sizeOf(option, value.trim());
  }
  return limit || undefined;
}

function sizeOf(option: string, text: string): number {
  try {
    return parseSize(text);
  } catch (cause) {
    throw new SampanError("invalid", `Cannot use --storage-opt ${option}: ${messageOf(cause)}`, { cause });
  }
}
