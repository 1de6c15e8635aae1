import type { RemoteManifest } from "../../api/shapes/image.ts";
import type { Context } from "../context.ts";
import { registryAuth } from "../credentials/store.ts";
import { ExitError } from "../errors.ts";
import type { StoredManifest } from "./store.ts";

const dockerType = "application/vnd.docker.distribution.manifest.v2+json";

/** What a registry has under a name. */
export function fetchManifest(context: Context, name: string, insecure: boolean): Promise<RemoteManifest> {
  return context.client.images.remoteManifest(name, { insecure, auth: registryAuth(name, context.env) });
}

/** One manifest as it becomes a part of a list; a list cannot. */
export function asStored(name: string, { Ref, Descriptor, Platform, Raw }: RemoteManifest): StoredManifest {
  if (Platform === undefined) throw new ExitError(1, `${name} is a manifest list`);
  const text = JSON.parse(Buffer.from(Raw, "base64").toString("utf8")) as object;
  const typed = Descriptor.mediaType === dockerType ? { SchemaV2Manifest: text } : { OCIManifest: text };
  return { Ref, Descriptor: { ...Descriptor, platform: Platform }, Raw, ...typed };
}
