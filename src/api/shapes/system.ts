/** Docker's JSON of the daemon itself. */

export interface VersionComponent {
  readonly Name: string;
  readonly Version: string;
  readonly Details?: Readonly<Record<string, string>>;
}

/** GET /version. */
export interface VersionResponse {
  readonly Platform?: { readonly Name: string };
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly BuildTime?: string;
  readonly Components?: readonly VersionComponent[];
}

/** GET /info, the part that the command line prints. */
export interface InfoResponse {
  readonly ID: string;
  readonly Name: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly ServerVersion: string;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly [string, string])[] | null;
  readonly LoggingDriver: string;
  readonly CgroupDriver: string;
  readonly CgroupVersion: string;
  readonly Plugins?: {
    readonly Volume?: readonly string[] | null;
    readonly Network?: readonly string[] | null;
    readonly Log?: readonly string[] | null;
  };
  readonly DefaultRuntime?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly DockerRootDir: string;
  readonly Debug?: boolean;
  readonly ExperimentalBuild?: boolean;
  readonly Labels?: readonly string[] | null;
  readonly LiveRestoreEnabled?: boolean;
  readonly RegistryConfig?: { readonly InsecureRegistryCIDRs?: readonly string[] | null };
  readonly Warnings?: readonly string[] | null;
}
