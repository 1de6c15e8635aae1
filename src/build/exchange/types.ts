import type { RegistryAuth } from "../../registry/types.ts";

/** Credentials for the registry of a reference; whoever asks a client for them has to wait. */
export type RegistryCredentials = (reference: string) => RegistryAuth | undefined | Promise<RegistryAuth | undefined>;

/** Where the results of steps that were carried out elsewhere are. */
export type CacheSource =
  /** A cache, or an image with one inside it. */
  | { readonly type: "registry"; readonly reference: string }
  /** An OCI image layout of this machine. */
  | { readonly type: "local"; readonly directory: string; readonly version: string };

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
  /** Into the image's own configuration. */
  | { readonly type: "inline" };
