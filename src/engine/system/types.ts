export interface EngineVersion {
  readonly version: string;
  readonly gitCommit: string;
  readonly buildTime: string;
  readonly nodeVersion: string;
  readonly os: string;
  /** By Go's name: "amd64". */
  readonly arch: string;
  readonly kernelVersion: string;
}

export interface EngineInfo {
  /** A UUID of this root. */
  readonly id: string;
  /** The machine's hostname. */
  readonly name: string;
  readonly containers: number;
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
  readonly images: number;
  readonly root: string;
  /** What the root directory is on. */
  readonly backingFilesystem: string;
  /** Whether that can limit what a container writes. */
  readonly projectQuotas: boolean;
  /** Bytes that a container's writable layer may hold unless it says otherwise. */
  readonly layerLimit: number | undefined;
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** As uname prints it: "x86_64". */
  readonly machine: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly cgroupVersion: "1" | "2";
  readonly cgroupParent: string;
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly cpuLimits: boolean;
  readonly cpuset: boolean;
  readonly pidsLimit: boolean;
  readonly oomKillDisable: boolean;
  readonly ipv4Forwarding: boolean;
  readonly securityOptions: readonly string[];
  readonly defaultNetwork: string;
  readonly eventListeners: number;
  readonly insecureRegistries: readonly string[];
  readonly mirrors: readonly string[];
  /** Things the user should know, whole sentences. */
  readonly warnings: readonly string[];
}
