import { SampanError } from "../../errors/index.ts";
import { hasProjectQuotas } from "../../storage/quota/support.ts";
import type { HostConfig } from "../config.ts";
import { parseSize } from "./size.ts";

/** Where writable layers lie, and what they may hold unless their container says otherwise. */
export interface LayerStorage {
  readonly directory: string;
  /** Bytes; undefined is no limit. */
  readonly usualLimit: number | undefined;
}

const refusal = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
const remedy = "ext4 that was made with -O quota,project and is mounted with prjquota will do, too";

/** The bytes that a container's writable layer may hold, by `--storage-opt size=`; undefined is no limit. */
export function layerLimit({ StorageOpt }: Pick<HostConfig, "StorageOpt">): number | undefined {
  let limit: number | undefined;
  for (const [name, value] of Object.entries(StorageOpt ?? {})) {
    if (name.toLowerCase() !== "size") throw new SampanError("invalid", `Unknown option ${name}`);
    limit = parseSize(value);
  }
  return limit || undefined;
}

/**
 * The same with the daemon's usual limit for a container that names none. `onHost`: it stands on the machine itself, what it
 * writes is in memory. Throws dockerd's texts for what is no option, or where the file system cannot limit.
 */
export function withLayerLimit(host: HostConfig, storage: LayerStorage, onHost: boolean): HostConfig {
  const limit = layerLimit(host);
  if (Object.keys(host.StorageOpt ?? {}).length === 0) {
    if (storage.usualLimit === undefined || onHost) return host;
    return { ...host, StorageOpt: { size: `${storage.usualLimit}` } };
  }
  if (!hasProjectQuotas(storage.directory)) {
    throw new SampanError("unsupported", `${refusal}: ${storage.directory} is not on one; ${remedy}`);
  }
  if (limit !== undefined && onHost) {
    const why = "what a container of this image writes is in memory, and ends with it; limit it with --memory";
    throw new SampanError("unsupported", `Cannot honour --storage-opt size: ${why}`);
  }
  return host;
}

/** Throws where the usual limit of a daemon cannot be had. */
export function checkLayerStorage({ directory, usualLimit }: LayerStorage): void {
  if (usualLimit === undefined || hasProjectQuotas(directory)) return;
  const why = `Filesystem does not support Project Quota: ${directory} is not on xfs with 'pquota' mount option; ${remedy}`;
  throw new SampanError("unsupported", `Storage option overlay2.size not supported. ${why}`);
}
