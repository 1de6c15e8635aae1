import type { ContainerConfig, CreateContainerRequest, HostConfig } from "../../api/shapes/container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../errors.ts";
import type { ValuesOf } from "../options.ts";
import { parseEnv, parseEnvLines, parseLabel, readTextFile } from "../parsing/key-value.ts";
import { securityOptions } from "../parsing/security-opt.ts";
import { timeOffsets } from "../parsing/time-offset.ts";
import { asSet, defined, mapOf, some } from "./absent.ts";
import { connections, exposedPorts, networksOf } from "./connections.ts";
import type { containerFlags } from "./flags.ts";
import { healthcheckOf } from "./health.ts";
import type { quietFlags } from "./later.ts";

export type ContainerValues = ValuesOf<typeof containerFlags & typeof quietFlags>;

/** Which standard streams of the container the command line is joined to. */
export interface Attached {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** As docker: stdout and stderr, stdin with `-i`; or just what `-a` names; nothing when detached. */
export function attachedStreams(values: ContainerValues, detached: boolean): Attached {
  if (detached) return { stdin: false, stdout: false, stderr: false };
  if (values.attach.length === 0) return { stdin: values.interactive, stdout: true, stderr: true };
  const has = (stream: "stdin" | "stdout" | "stderr"): boolean => values.attach.includes(stream);
  return { stdin: has("stdin"), stdout: has("stdout"), stderr: has("stderr") };
}

/** What the daemon is asked to create. */
export function createRequest(
  context: Pick<Context, "env" | "stdout">,
  [image = "", ...command]: readonly string[],
  { values, attached }: { readonly values: ContainerValues; readonly attached: Attached },
): CreateContainerRequest {
  const { networkMode, networking } = networksOf(values);
  const host = { ...limits(values), ...security(values), ...surroundings(values), ...connections(values) };
  return {
    ...processConfig(values, context.env),
    Image: image,
    ...(command.length > 0 ? { Cmd: command } : {}),
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    StdinOnce: values.interactive && attached.stdin,
    HostConfig: { ...host, ...consoleSize(context, values), NetworkMode: networkMode },
    ...(networking === undefined ? {} : { NetworkingConfig: networking }),
  };
}

function processConfig(values: ContainerValues, environment: Context["env"]): Omit<ContainerConfig, "Image"> {
  return defined<Omit<ContainerConfig, "Image">>({
    Hostname: values.hostname,
    Domainname: values.domainname,
    User: values.user,
    Tty: values.tty,
    OpenStdin: values.interactive,
    Env: environmentOf(values, environment),
    Entrypoint: values.entrypoint === undefined ? undefined : [values.entrypoint],
    WorkingDir: values.workdir,
    Labels: labelsOf(values),
    StopSignal: values["stop-signal"],
    StopTimeout: values["stop-timeout"],
    Volumes: anonymousVolumes(values),
    ExposedPorts: exposedPorts(values),
    Healthcheck: healthcheckOf(values),
  });
}

function limits(values: ContainerValues): HostConfig {
  if (values.cpus !== undefined && (values["cpu-quota"] !== undefined || values["cpu-period"] !== undefined)) {
    throw invalid("conflicting options: --cpus with --cpu-quota or --cpu-period");
  }
  return defined<HostConfig>({
    Memory: values.memory,
    MemorySwap: values["memory-swap"],
    MemoryReservation: values["memory-reservation"],
    NanoCpus: values.cpus,
    CpuShares: values["cpu-shares"],
    CpuQuota: values["cpu-quota"],
    CpuPeriod: values["cpu-period"],
    CpusetCpus: values["cpuset-cpus"],
    CpusetMems: values["cpuset-mems"],
    PidsLimit: values["pids-limit"],
    BlkioWeight: values["blkio-weight"],
    BlkioWeightDevice: some(values["blkio-weight-device"]),
    BlkioDeviceReadBps: some(values["device-read-bps"]),
    BlkioDeviceWriteBps: some(values["device-write-bps"]),
    BlkioDeviceReadIOps: some(values["device-read-iops"]),
    BlkioDeviceWriteIOps: some(values["device-write-iops"]),
    MemorySwappiness: values["memory-swappiness"],
    OomKillDisable: values["oom-kill-disable"] ? true : undefined,
    OomScoreAdj: values["oom-score-adj"],
    ShmSize: values["shm-size"],
    CgroupParent: values["cgroup-parent"],
    Ulimits: some(values.ulimit),
  });
}

function security(values: ContainerValues): HostConfig {
  return defined<HostConfig>({
    Privileged: values.privileged,
    CapAdd: some(values["cap-add"]),
    CapDrop: some(values["cap-drop"]),
    SecurityOpt: some(securityOptions(values["security-opt"])),
    GroupAdd: some(values["group-add"]),
    Devices: some(values.device),
    DeviceCgroupRules: some(values["device-cgroup-rule"]),
    Sysctls: mapOf(values.sysctl),
    Secrets: some(values.secret),
    ReadonlyRootfs: values["read-only"],
  });
}

function surroundings(values: ContainerValues): HostConfig {
  if (values.rm && values.restart !== undefined && values.restart.Name !== "no") {
    throw invalid("conflicting options: cannot specify both --restart and --rm");
  }
  const binds = values.volume.flatMap((volume) => ("bind" in volume ? [volume.bind] : []));
  const annotations = values.annotation;
  return defined<HostConfig>({
    AutoRemove: values.rm,
    Init: values.init ? true : undefined,
    Binds: some(binds),
    Mounts: some(values.mount),
    Tmpfs: mapOf(values.tmpfs),
    VolumesFrom: some(values["volumes-from"]),
    VolumeDriver: values["volume-driver"],
    LogConfig: logConfig(values),
    StorageOpt: mapOf(values["storage-opt"]),
    RestartPolicy: values.restart,
    Runtime: values.runtime,
    Isolation: values.isolation,
    CgroupnsMode: values.cgroupns,
    UsernsMode: values.userns,
    IpcMode: values.ipc,
    PidMode: values.pid,
    UTSMode: values.uts,
    TimeOffsets: timeOffsets(values["time-offset"]),
    ContainerIDFile: values.cidfile,
    Annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  });
}

function logConfig(values: ContainerValues): HostConfig["LogConfig"] {
  const driver = values["log-driver"];
  const options = values["log-opt"];
  if (driver === "none" && options.length > 0) throw invalid("invalid logging opts for driver none");
  if (driver === undefined && options.length === 0) return undefined;
  return { Type: driver ?? "", Config: Object.fromEntries(options) };
}

function consoleSize(context: Pick<Context, "stdout">, values: ContainerValues): HostConfig {
  if (!values.tty || !context.stdout.isTTY) return {};
  return { ConsoleSize: [context.stdout.rows, context.stdout.columns] };
}

function environmentOf(values: ContainerValues, environment: Context["env"]): readonly string[] | undefined {
  const entries = values["env-file"].flatMap((path) => parseEnvLines(readTextFile(path), path, environment));
  for (const text of values.env) {
    const entry = parseEnv(text, environment);
    if (entry !== undefined) entries.push(entry);
  }
  return some(entries);
}

function labelsOf(values: ContainerValues): Record<string, string> | undefined {
  const fromFiles = values["label-file"].flatMap((path) =>
    parseEnvLines(readTextFile(path), path, {}).map((line) => parseLabel(line)),
  );
  const labels = [...fromFiles, ...values.label];
  return labels.length === 0 ? undefined : Object.fromEntries(labels);
}

function anonymousVolumes(values: ContainerValues): Record<string, object> | undefined {
  const paths = values.volume.flatMap((volume) => ("anonymous" in volume ? [volume.anonymous] : []));
  return paths.length === 0 ? undefined : asSet(paths);
}
