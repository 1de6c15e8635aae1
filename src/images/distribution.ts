import { parseReference } from "../registry/reference.ts";
import type { RegistryAuth } from "../registry/types.ts";
import type { Digest } from "../storage/digest.ts";
import { documentLimit, parseConfig, parseDocument } from "./shapes.ts";
import type { ImageTools } from "./tools.ts";
import type { Platform } from "./types.ts";

/** What a registry has under a name: no layer is fetched. */
export interface RemoteImage {
  readonly descriptor: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  readonly platforms: readonly Platform[];
}

/** Asks the registry that a name says. Errors are those of a pull. */
export async function lookUpRemote(
  tools: Pick<ImageTools, "registry">,
  name: string,
  { auth, signal }: { readonly auth?: RegistryAuth | undefined; readonly signal?: AbortSignal | undefined },
): Promise<RemoteImage> {
  const reference = parseReference(name);
  const repository = await tools.registry.repository(reference, auth, signal);
  const { bytes, digest, mediaType } = await repository.manifest(
    reference.digest ?? reference.tag ?? "latest",
    documentLimit,
    signal,
  );
  const descriptor = { mediaType, digest, size: bytes.length };
  const document = parseDocument(bytes, reference.familiar, mediaType);
  if (document.kind === "index") {
    return { descriptor, platforms: document.index.manifests.flatMap(({ platform }) => platform ?? []) };
  }
  const { config } = document.manifest;
  const read = parseConfig(
    await repository.document(config.digest, config.size, documentLimit, signal),
    reference.familiar,
  );
  const { os, architecture, variant } = read;
  return { descriptor, platforms: [{ os, architecture, ...(variant && { variant }) }] };
}
