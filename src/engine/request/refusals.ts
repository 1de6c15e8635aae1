import { SampanError } from "../../errors/index.ts";
import type { HostConfig } from "../config.ts";
import { validateLogConfig } from "../logs/options.ts";

/** What Sampan does not do (yet): the field, whether it was asked for, and what is lacking. */
interface Refusal<T> {
  readonly field: string;
  readonly asked: (given: T) => boolean;
  readonly lacks: string;
}

const filled = (list: readonly unknown[] | null | undefined): boolean => (list?.length ?? 0) > 0;

const hostRefusals: readonly Refusal<HostConfig>[] = [
  {
    field: "DeviceRequests",
    asked: (host) => filled(host.DeviceRequests),
    lacks: "there is no driver for device requests (GPUs); name the device files with --device",
  },
  {
    field: "VolumeDriver",
    asked: (host) => !["", "local"].includes(host.VolumeDriver),
    lacks: "the only volume driver is local",
  },
  {
    field: "CpuRealtimePeriod",
    asked: (host) => host.CpuRealtimePeriod !== 0 || host.CpuRealtimeRuntime !== 0,
    lacks: "kernels give no realtime time to cgroups of their own accord",
  },
  {
    field: "CpuCount",
    asked: (host) => host.CpuCount !== 0 || host.CpuPercent !== 0,
    lacks: "it is for Windows; use --cpus",
  },
  {
    field: "IOMaximumBandwidth",
    asked: (host) => host.IOMaximumBandwidth !== 0 || host.IOMaximumIOps !== 0,
    lacks: "it is for Windows; use --device-read-bps and the like",
  },
  { field: "Cgroup", asked: (host) => host.Cgroup !== "", lacks: "a container has a cgroup of its own" },
];

const runtimes: readonly string[] = ["sampan", "runc", "io.containerd.runc.v2"];

/** Throws for everything a request asks for that Sampan cannot honour; what is left at its default is no request. */
export function refuseUnsupported(host: HostConfig): void {
  refuse(hostRefusals, host);
  if (!["", "default"].includes(host.Isolation)) {
    throw new SampanError("invalid", `invalid isolation (${host.Isolation}): linux only supports 'default'`);
  }
  validateLogConfig(host.LogConfig);
  if (!runtimes.includes(host.Runtime)) {
    throw new SampanError("invalid", `unknown or invalid runtime name: ${host.Runtime}`);
  }
  validateRestart(host);
}

function refuse<T>(refusals: readonly Refusal<T>[], given: T): void {
  for (const { field, asked, lacks } of refusals) {
    if (asked(given)) throw new SampanError("unsupported", `Cannot honour ${field}: ${lacks}`);
  }
}

/** Throws `invalid`, with dockerd's texts, for a restart policy that is none. */
export function validateRestart({ RestartPolicy: { Name, MaximumRetryCount }, AutoRemove }: HostConfig): void {
  if (!["no", "always", "unless-stopped", "on-failure"].includes(Name)) {
    throw new SampanError(
      "invalid",
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (MaximumRetryCount < 0) {
    throw new SampanError("invalid", "invalid restart policy: maximum retry count cannot be negative");
  }
  if (Name !== "on-failure" && MaximumRetryCount > 0) {
    throw new SampanError("invalid", `invalid restart policy: maximum retry count can only be used with 'on-failure'`);
  }
  if (AutoRemove && Name !== "no") {
    throw new SampanError("invalid", "can't create 'AutoRemove' container with restart policy");
  }
}
