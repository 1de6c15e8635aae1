import { SampanError } from "../errors/index.ts";
import { parseReference } from "../registry/reference.ts";
import { digestOf } from "../storage/digest.ts";
import { hostPlatform } from "./platform.ts";
import type { ImageConfig, StoredImage } from "./types.ts";

/** The name of the image that is this machine's own root file system. */
export const hostImageName = "sampan/host:latest";

/** Whether a name, as it was written, means `sampan/host`; its id does not count. */
export function isHostReference(written: string): boolean {
  try {
    return parseReference(written).familiar === hostImageName;
  } catch (error) {
    if (error instanceof SampanError && error.kind === "invalid") return false;
    throw error;
  }
}

/** `sampan/host`: always here, not stored, not removable. Its id follows from its config, so it never changes. */
export function hostImage(): StoredImage {
  const config: ImageConfig = {
    ...hostPlatform(),
    config: { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: [] },
    history: [{ created_by: "sampan: the machine's own root file system below a layer that is thrown away" }],
  };
  return {
    id: digestOf(JSON.stringify(config)),
    names: [hostImageName],
    repoDigests: [],
    indexes: [],
    targets: {},
    config,
    layers: [],
    size: 0,
    createdAt: "",
    taggedAt: "",
    virtual: "host",
  };
}
