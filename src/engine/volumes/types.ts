/** A volume as the database keeps it. */
export interface VolumeRecord {
  readonly name: string;
  /** Nobody gave it a name: `rm -v`, `--rm` and prune may take it away. */
  readonly anonymous: boolean;
  /** Unix nanoseconds. */
  readonly createdAt: bigint;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the local driver: type, device, o. */
  readonly options: Readonly<Record<string, string>>;
}

/** What a new volume is to be. */
export interface VolumeRequest {
  /** "" makes one up. */
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export interface VolumeView extends VolumeRecord {
  /** The directory on this machine. */
  readonly mountpoint: string;
  /** How many containers, running or not, have it. */
  readonly users: number;
}

export interface VolumeUsage {
  readonly volume: VolumeView;
  /** Bytes of its files. */
  readonly size: number;
}

export interface PrunedVolumes {
  readonly names: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** The volumes as the API sees them. Errors carry dockerd's texts. */
export interface EngineVolumes {
  /** By name; the one of that name where there is one already. */
  create(request: VolumeRequest): Promise<VolumeView>;
  list(): VolumeView[];
  /** "not-found" when there is none of that name. */
  get(name: string): VolumeView;
  /** "conflict" while a container has it, running or not. With `force` one that is not here is no error. */
  remove(name: string, options?: { readonly force?: boolean | undefined }): Promise<void>;
  /** Removes those that no container has and that are wanted away. Volumes with options of their own stay. */
  prune(wanted: (volume: VolumeView) => boolean): Promise<PrunedVolumes>;
  /** Every volume with its size. */
  usage(): Promise<VolumeUsage[]>;
}
