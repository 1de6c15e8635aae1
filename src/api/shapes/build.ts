/** What a build tells, an object a line; Sampan's own, with `progress=events`. */
export type * from "../../build/progress/types.ts";

/** POST /build/prune. */
export interface BuildPruneResponse {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
