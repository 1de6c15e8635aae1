import type { CreateRequest } from "./config.ts";
import { decide } from "./container/create.ts";
import { ContainerFiles } from "./container/files.ts";
import { containerSpec } from "./container/spec.ts";
import { logLimits } from "./logs/options.ts";
import { openSandbox } from "./networks/sandbox.ts";
import type { EngineParts } from "./parts.ts";
import type { Explanation } from "./types.ts";
import { takeUsers } from "./users/take.ts";

/** The program that would start the container of this request. Its writable layer is made, looked at, and removed. */
export async function explain(parts: EngineParts, request: CreateRequest): Promise<Explanation> {
  const decided = decide(parts, request);
  using taken = takeUsers(parts, decided.record);
  const record = { ...taken.record, name: request.name ?? "explained" };
  const files = new ContainerFiles(parts.layout, record.id);
  using _pinned = parts.registry.pin(record.imageId);
  try {
    files.make();
    await parts.snapshots.prepare(record.id, record.layers);
    const sandbox = await openSandbox(parts, record);
    try {
      const spec = await containerSpec(parts, { record, files }, { sandbox });
      const limits = logLimits(record.hostConfig.LogConfig);
      return parts.runtime.explain(spec, { files: files.monitor(1, limits), hold: false });
    } finally {
      await sandbox?.release();
    }
  } finally {
    await parts.snapshots.remove(record.id);
    files.remove();
  }
}
