/** Docker's JSON of volumes. */

export interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Scope: string;
  /** In GET /system/df only: bytes, and containers that have it. */
  readonly UsageData?: { readonly RefCount: number; readonly Size: number };
}

/** POST /volumes/create. */
export interface CreateVolumeRequest {
  readonly Name?: string | undefined;
  readonly Driver?: string | undefined;
  readonly DriverOpts?: Readonly<Record<string, string>> | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
}

/** GET /volumes. */
export interface ListVolumesResponse {
  readonly Volumes: readonly Volume[];
  readonly Warnings: readonly string[] | null;
}

/** POST /volumes/prune. */
export interface PruneVolumesResponse {
  readonly VolumesDeleted: readonly string[];
  /** Bytes. */
  readonly SpaceReclaimed: number;
}
