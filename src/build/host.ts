import type { Platform, Progress, StoredImage } from "../images/types.ts";
import type { RegistryAuth } from "../registry/types.ts";
import type { Mount, OwnFile } from "../runtime/types.ts";
import type { ChainId } from "../storage/digest.ts";

/** What limits the processes of RUN: names, units and meanings of the Engine API. */
export interface RunLimits {
  readonly Memory?: number | undefined;
  readonly MemorySwap?: number | undefined;
  readonly CpuShares?: number | undefined;
  readonly CpuPeriod?: number | undefined;
  readonly CpuQuota?: number | undefined;
  readonly CpusetCpus?: string | undefined;
  readonly CpusetMems?: string | undefined;
  readonly CgroupParent?: string | undefined;
  readonly ShmSize?: number | undefined;
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] | undefined;
  /** "name:address". */
  readonly ExtraHosts?: readonly string[] | undefined;
}

/** One process of a build, in a container that nobody else sees. */
export interface RunRequest {
  /** 64 hex digits: its snapshot, which the builder makes and takes away. */
  readonly id: string;
  /** What the snapshot stands on, bottom first. */
  readonly layers: readonly ChainId[];
  readonly platform: Platform;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** "default", "none", "host" or a network's name. */
  readonly network: string;
  /** Everything that a container is kept from (RUN --security=insecure). */
  readonly insecure: boolean;
  readonly mounts: readonly Mount[];
  readonly files: readonly OwnFile[];
  readonly limits: RunLimits;
}

/** Who hears what a process says. */
export interface RunOutput {
  tell(stream: "stdout" | "stderr", data: Buffer): void;
  /** What is to be waited for before more is told. */
  ready(): Promise<void> | undefined;
}

/** What the builder cannot do itself, because containers and pulls are the engine's. */
export interface BuildHost {
  /** Runs a process to its end, and answers its exit code; nothing of it is left then. "cancelled" when the signal fires. */
  run(request: RunRequest, output: RunOutput, signal: AbortSignal): Promise<number>;
  pull(
    reference: string,
    options: {
      readonly platform: Platform;
      /** See `PullOptions`. */
      readonly givesWay: boolean;
      readonly auth: RegistryAuth | undefined;
      readonly signal: AbortSignal;
      progress(line: Progress): void;
    },
  ): Promise<StoredImage>;
  /** An event of the image that a build has made, or named. */
  tell(action: "build" | "tag", id: string, name: string): void;
}
