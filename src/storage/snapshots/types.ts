import type { ChainId } from "../digest.ts";

/** A layer a container stands on: one of the layer store, or the machine's own root file system (`sampan/host`). */
export type LayerRef = ChainId | "host";

/** A directory that is made in a fresh upper directory before the overlay is mounted; parents come before children. */
export interface PreparedDirectory {
  /** Relative to the upper directory, without a leading "/". */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Gets `trusted.overlay.opaque`="y": whatever the lower layers have there is not seen. */
  readonly opaque: boolean;
}

/** An overlay, everything resolved. Mounting it is the runtime's, inside the container's mount namespace. */
export interface OverlayMount {
  readonly type: "overlay";
  /** Directories, top first. */
  readonly lower: readonly string[];
  /** "throw-away": a tmpfs made in the mount namespace; it holds upper and work, and ends with the container. */
  readonly upper: { readonly upper: string; readonly work: string } | "throw-away";
  /** To be made in the upper directory first; only ever for "throw-away". */
  readonly prepared: readonly PreparedDirectory[];
  /** Further mount options, each "name=value". */
  readonly options: readonly string[];
}

/** What has to be mounted, in order, to see a snapshot. */
export type Mount = OverlayMount;

/** The writable layers of containers. Returns mounts as data and mounts nothing. */
export interface SnapshotStore {
  /** Makes the writable layer of container `key` on `lower`, bottom first. `limit`: bytes that it may hold, by a project quota. */
  prepare(key: string, lower: readonly LayerRef[], limit?: number): Promise<void>;
  /** `lower` is what it was prepared on. `bare`: without what every container has beyond its image. */
  mounts(key: string, lower: readonly LayerRef[], options?: { readonly bare: boolean }): Mount[];
  /** The directory that holds what was changed; it may be taken away once nothing is mounted. */
  upper(key: string): string;
  /** Does something that may take a little more than its limit of a layer that was prepared with one. */
  withRoom<T>(key: string, limit: number, action: () => Promise<T>): Promise<T>;
  /** Bytes of the files in the upper directory; hard links count once. */
  usage(key: string): Promise<number>;
  /**
   * Removes upper and work. A key that is not here is no error. The container must not be running. `limited`: it was made with
   * a limit, which is given back.
   */
  remove(key: string, options?: { readonly limited: boolean }): Promise<void>;
}
