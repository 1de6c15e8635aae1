import { SampanError } from "../../errors/index.ts";
import type { NetworkHost } from "./types.ts";

/** Until the kernel's side is there. */
export function absentHost(): NetworkHost {
  const refuse = (): never => {
    throw new SampanError("unsupported", "container networks are not there yet; use none or host");
  };
  return {
    ensure: async () => refuse(),
    started: () => undefined,
    attachment: refuse,
    release: async () => {},
    connect: async () => refuse(),
    disconnect: async () => refuse(),
    remove: async () => {},
    recover: async () => {},
    usedRanges: async () => [],
    warnings: async () => [],
    close: async () => {},
  };
}
