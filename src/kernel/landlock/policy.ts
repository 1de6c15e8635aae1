import type { FileRight, Scope, TcpRight } from "./rights.ts";

/** A container's annotation with a policy. */
export const landlockAnnotation = "org.sampan.landlock";

/** A path below which something is allowed. */
export interface AllowedPath {
  /** Absolute, without "." and "..". */
  readonly path: string;
  /** It may be missing; nothing is allowed there then. */
  readonly optional: boolean;
}

/**
 * One layer of confinement: what is named is allowed where it is said, and nowhere else; what is not named stays as it is.
 * Several layers all have to allow.
 */
export interface LandlockPolicy {
  readonly files: ReadonlyMap<FileRight, readonly AllowedPath[]>;
  readonly tcp: ReadonlyMap<TcpRight, readonly number[]>;
  readonly scope: readonly Scope[];
  /** What the kernel does not have is left out; else it is refused. */
  readonly bestEffort: boolean;
}
