import type { ChainId } from "../digest.ts";
import type { ArchivePiece } from "../pack/pieces.ts";

/** A layer to unpack. */
export interface LayerToApply {
  /** The name it gets: the digest of the stack that ends with it. */
  readonly chainId: ChainId;
  /** The layers below, bottom first. */
  readonly parents: readonly ChainId[];
  /**
   * Resolves once all parents are in the store. Only what needs them waits for it: hard links into a lower layer and
   * the attributes of directories that this layer's tar does not name.
   */
  readonly parentsReady: Promise<void>;
  /** The uncompressed tar. The chunks are not written to and must not change. Throwing makes the layer vanish. */
  readonly tar: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** A layer to unpack whose name is only known when all of its tar was read: one that is made here. */
export interface LayerToMake extends Pick<LayerToApply, "parents" | "signal"> {
  readonly tar: AsyncIterable<ArchivePiece>;
  /** The file that the tar is being written to, on the same file system: where pieces are `Copied`. */
  readonly archive: string;
}

/** An unpacked layer without a name yet, and not on the disk. It is kept or discarded, once. */
export interface MadeLayer {
  /** Gives it its name. When the layer is here already, this one is removed instead. It is durable after a `sync`. */
  keep(chainId: ChainId): Promise<AppliedLayer>;
  discard(): Promise<void>;
}

/** A directory that is to become a layer. */
export interface LayerToAdopt {
  readonly chainId: ChainId;
  readonly directory: string;
}

/** What a finished layer holds. */
export interface AppliedLayer {
  /** Sum of the sizes of its files in bytes; hard links count once, holes count. */
  readonly size: number;
}

/**
 * Unpacked layers, each a directory that is ready to be an overlay lower directory: whiteouts are 0:0 character
 * devices, opaque directories carry `trusted.overlay.opaque`.
 *
 * Life of a layer: `apply` unpacks it where nobody looks → synced to disk → renamed to `directory(chainId)`; from then
 * on it never changes → `remove`. Whatever a crash leaves half-made, `sweep` removes.
 */
export interface LayerStore {
  has(chainId: ChainId): boolean;
  /** Where the layer is, or would be. */
  directory(chainId: ChainId): string;
  list(): ChainId[];
  /** Unpacked bytes; an error of kind "not-found" for a layer that is not here. */
  sizeOf(chainId: ChainId): number;
  /**
   * Unpacks a layer; nothing is left when it fails. One that is here already is not unpacked again (its tar is read to
   * the end nevertheless, for whoever verifies it), and concurrent calls for one chain id share the work.
   * Errors: "invalid" for a tar that is malformed or leaves its directory, "exhausted" when the disk is full.
   */
  apply(layer: LayerToApply): Promise<AppliedLayer>;
  /** Unpacks a layer of parents that are here, as `apply` does, before its name is known. */
  make(layer: LayerToMake): Promise<MadeLayer>;
  /** Brings all layers that were kept so far to the disk. */
  sync(): Promise<void>;
  /**
   * Makes a directory on the same file system a layer as it is, overlayfs's upper directory of a container that has ended,
   * say: synced to disk and renamed. When the layer is here already the directory is removed instead.
   */
  adopt(layer: LayerToAdopt): Promise<AppliedLayer>;
  /** Removes a layer that no container and no other layer stands on. One that is not here is no error. */
  remove(chainId: ChainId): Promise<void>;
  /** Removes what a crash has left half-made or half-removed. At the daemon's start, before anything else. */
  sweep(): Promise<void>;
}
