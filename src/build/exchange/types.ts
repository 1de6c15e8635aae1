import type { Readable } from "node:stream";
import type { Blob } from "../../images/download.ts";
import type { Descriptor } from "../../images/shapes.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";

/** Credentials for the registry of a reference; whoever asks a client for them has to wait. */
export type RegistryCredentials = (reference: string) => RegistryAuth | undefined | Promise<RegistryAuth | undefined>;

/** A store for blobs that a client lends. */
export interface LentStore {
  /** A blob from an offset on; "not-found" when it has none. */
  read(digest: Digest, offset: number, signal: AbortSignal): Promise<Readable>;
  /** Nothing happens to a blob that it has already. */
  write(blob: Blob, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** Where the results of steps that were carried out elsewhere are. */
export type CacheSource =
  /** A cache, or an image with one inside it. */
  | { readonly type: "registry"; readonly reference: string }
  /** An OCI image layout of this machine. */
  | { readonly type: "local"; readonly directory: string; readonly version: string }
  /** A directory of the client's; `version` is a digest. */
  | { readonly type: "lent"; readonly directory: string; readonly version: string; readonly store: LentStore };

interface Exported {
  /** The results of all steps, not only those that the image is made of. */
  readonly all: boolean;
  /** What is in the cache mounts of the build's commands, too. */
  readonly mounts: boolean;
  /** A failure is told, and the build goes on. */
  readonly mayFail: boolean;
}

/** Where the results of a build's steps go. */
export type CacheTarget =
  | ({ readonly type: "registry"; readonly reference: string } & Exported)
  | ({ readonly type: "local"; readonly directory: string; readonly tag: string } & Exported)
  /** A directory of the client's. Whoever lends it is told what it is to be found by. */
  | ({
      readonly type: "lent";
      readonly directory: string;
      readonly store: LentStore;
      stored(root: Descriptor): void;
    } & Exported)
  /** Into the image's own configuration. */
  | { readonly type: "inline" };
