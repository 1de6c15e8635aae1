import { parseReference } from "../registry/reference.ts";
import type { RegistryAuth } from "../registry/types.ts";
import type { Digest } from "../storage/digest.ts";
import { documentLimit, parseConfig, parseDocument } from "./shapes.ts";
import type { ImageTools } from "./tools.ts";
import type { Platform } from "./types.ts";

/** What a registry has under a name: no layer is fetched. */
export interface RemoteImage {
  /** The name in full. */
  readonly canonical: string;
  /** The manifest or index as the registry has it. */
  readonly bytes: Buffer;
  readonly kind: "manifest" | "index";
  readonly descriptor: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  readonly platforms: readonly Platform[];
}

export interface LookUpOptions {
  readonly auth?: RegistryAuth | undefined;
  /** Without verified TLS, if need be. */
  readonly insecure?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Asks the registry that a name says. Errors are those of a pull. */
export async function lookUpRemote(
  tools: Pick<ImageTools, "registry">,
  name: string,
  { auth, signal, insecure = false }: LookUpOptions,
): Promise<RemoteImage> {
  const reference = parseReference(name);
  const repository = await tools.registry.repository(reference, auth, signal, { insecure });
  const { bytes, digest, mediaType } = await repository.manifest(
    reference.digest ?? reference.tag ?? "latest",
    documentLimit,
    signal,
  );
  const descriptor = { mediaType, digest, size: bytes.length };
  const document = parseDocument(bytes, reference.familiar, mediaType);
  const found = { canonical: reference.canonical, bytes, descriptor, kind: document.kind };
  if (document.kind === "index") {
    return { ...found, platforms: document.index.manifests.flatMap(({ platform }) => platform ?? []) };
  }
  const { config } = document.manifest;
  const read = parseConfig(
    await repository.document(config.digest, config.size, documentLimit, signal),
    reference.familiar,
  );
  const { os, architecture, variant, "os.version": version } = read;
  const platform = { os, architecture, ...(variant && { variant }), ...(version && { "os.version": version }) };
  return { ...found, platforms: [platform] };
}
