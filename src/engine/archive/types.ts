import type { Stat } from "../../storage/pack/tree-reader.ts";

/** What is at a path in a container. */
export interface PathStat {
  /** The last part of the path as it was asked for. */
  readonly name: string;
  readonly stat: Stat;
  /** Where a link leads; "" for what is no link. */
  readonly linkTarget: string;
}

export interface ExtractRequest {
  /** A directory in the container. */
  readonly path: string;
  /** A directory does not replace anything else, and nothing else a directory. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets the owner that the container's process has. */
  readonly copyUidGid: boolean;
}

/** 0: modified, 1: added, 2: deleted, as Docker counts them. */
export type ChangeKind = 0 | 1 | 2;

export interface FileChange {
  readonly path: string;
  readonly kind: ChangeKind;
}

/** The files of containers, running or not. "not-found" when there is no such container or path. */
export interface Files {
  stat(container: string, path: string): Promise<PathStat>;
  /** A tar archive of what is at a path. It must be read to the end or be returned: it keeps the container as it is. */
  read(container: string, path: string): Promise<{ readonly at: PathStat; readonly tar: AsyncGenerator<Uint8Array> }>;
  /** Unpacks a tar archive, plain, gzip or zstd, into a directory. */
  write(container: string, request: ExtractRequest, tar: AsyncIterable<Uint8Array>): Promise<void>;
  /** A tar archive of the whole root file system, without volumes. */
  export(container: string): Promise<AsyncGenerator<Uint8Array>>;
  /** What the container has changed in its image's file system, in the order of paths. */
  changes(container: string): Promise<FileChange[]>;
}
