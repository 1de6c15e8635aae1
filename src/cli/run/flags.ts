import { bytes, flag, folded, integer, list, parsed, text } from "../options.ts";
import { parseByteRate, parseDeviceRule, parseDeviceWeight, parseOperationRate } from "../parsing/block-device.ts";
import { parseDevice } from "../parsing/device.ts";
import { parseLabel } from "../parsing/key-value.ts";
import { parseMount, parseTmpfs } from "../parsing/mount.ts";
import { parseNamespaceMode } from "../parsing/namespace-mode.ts";
import { parseOption } from "../parsing/network.ts";
import { parseNanoCpus } from "../parsing/numbers.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { parseRestart } from "../parsing/restart.ts";
import { parseSecret } from "../parsing/secret.ts";
import { parseSizeOrUnlimited } from "../parsing/size.ts";
import { parseSysctl } from "../parsing/sysctl.ts";
import { parseTimeOffset } from "../parsing/time-offset.ts";
import { parseUlimit } from "../parsing/ulimit.ts";
import { parseVolume } from "../parsing/volume.ts";
import { parseAttach, parsePullPolicy } from "./choices.ts";
import { healthFlags } from "./health.ts";
import { networkFlags } from "./network-flags.ts";

/** The process: what runs, as whom, where, with which input and output. */
const processFlags = {
  attach: list("a", "Attach to STDIN, STDOUT or STDERR", parseAttach),
  entrypoint: text("", "Overwrite the default ENTRYPOINT of the image"),
  env: list("e", "Set environment variables"),
  "env-file": list("", "Read in a file of environment variables"),
  "group-add": list("", "Add additional groups to join"),
  init: flag("", "Run an init inside the container that forwards signals and reaps processes"),
  "log-driver": text("", "Logging driver for the container (json-file|local|journald|syslog|none)"),
  "log-opt": list("", "Log driver options", parseOption),
  interactive: flag("i", "Keep STDIN open even if not attached"),
  "stop-signal": text("", "Signal to stop the container"),
  "stop-timeout": integer("", "Timeout (in seconds) to stop a container"),
  tty: flag("t", "Allocate a pseudo-TTY"),
  user: text("u", "Username or UID (format: <name|uid>[:<group|gid>])"),
  workdir: text("w", "Working directory inside the container"),
};

/** The container as a thing with a name. */
export const identityFlags = {
  annotation: folded<Readonly<Record<string, string>>>("", "Add an annotation to the container", "map", {
    initial: {},
    read: (value, sofar) => ({ ...sofar, ...Object.fromEntries([parseLabel(value)]) }),
  }),
  cidfile: text("", "Write the container ID to the file"),
  label: list("l", "Set meta data on a container", parseLabel),
  "label-file": list("", "Read in a line delimited file of labels"),
  name: text("", "Assign a name to the container"),
  platform: parsed("", "Set platform if server is multi-platform capable", "string", parsePlatform),
  pull: parsed(
    "",
    'Pull image before running ("always", "missing", "never") (default "missing")',
    "string",
    parsePullPolicy,
  ),
  quiet: flag("q", "Suppress the pull output"),
  restart: parsed(
    "",
    'Restart policy when a container exits (no|always|unless-stopped|on-failure[:times]) (default "no")',
    "string",
    parseRestart,
  ),
  rm: flag("", "Automatically remove the container when it exits"),
};

/** What may be used: cgroups and rlimits. */
export const limitFlags = {
  "blkio-weight": integer("", "Block IO (relative weight), between 10 and 1000, or 0 to disable", {
    min: 0,
    max: 1000,
  }),
  "blkio-weight-device": list("", "Block IO weight (relative device weight)", parseDeviceWeight),
  "cgroup-parent": text("", "Optional parent cgroup for the container"),
  "cpu-period": integer("", "Limit CPU CFS (Completely Fair Scheduler) period, in microseconds"),
  "cpu-quota": integer("", "Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds"),
  "cpu-shares": integer("c", "CPU shares (relative weight)"),
  cpus: parsed("", "Number of CPUs", "decimal", parseNanoCpus),
  "cpuset-cpus": text("", "CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": text("", "MEMs in which to allow execution (0-3, 0,1)"),
  "device-read-bps": list("", "Limit read rate (bytes per second) from a device", parseByteRate),
  "device-read-iops": list("", "Limit read rate (IO per second) from a device", parseOperationRate),
  "device-write-bps": list("", "Limit write rate (bytes per second) to a device", parseByteRate),
  "device-write-iops": list("", "Limit write rate (IO per second) to a device", parseOperationRate),
  memory: bytes("m", "Memory limit"),
  "memory-reservation": bytes("", "Memory soft limit"),
  "memory-swap": bytes("", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", parseSizeOrUnlimited),
  "memory-swappiness": integer("", "Tune container memory swappiness (0 to 100)", { min: -1, max: 100 }),
  "oom-kill-disable": flag("", "Disable OOM Killer"),
  "oom-score-adj": integer("", "Tune host's OOM preferences (-1000 to 1000)", { min: -1000, max: 1000 }),
  "pids-limit": integer("", "Tune container pids limit (set -1 for unlimited)"),
  "shm-size": bytes("", "Size of /dev/shm"),
  ulimit: list("", "Ulimit options", parseUlimit, "ulimit"),
};

/** What is allowed. */
const securityFlags = {
  "cap-add": list("", "Add Linux capabilities"),
  "cap-drop": list("", "Drop Linux capabilities"),
  device: list("", "Add a host device to the container", parseDevice),
  "device-cgroup-rule": list("", "Add a rule to the cgroup allowed devices list", parseDeviceRule),
  privileged: flag("", "Give extended privileges to this container"),
  secret: list("", "Secret to mount in the container, as a file in /run/secrets", parseSecret, "secret"),
  "security-opt": list("", "Security Options"),
  sysctl: list("", "Sysctl options", parseSysctl, "map"),
};

/** What the root file system looks like. */
const fileFlags = {
  mount: list("", "Attach a filesystem mount to the container", parseMount, "mount"),
  "read-only": flag("", "Mount the container's root filesystem as read only"),
  "storage-opt": list("", "Storage driver options for the container", parseOption),
  tmpfs: list("", "Mount a tmpfs directory", parseTmpfs),
  volume: list("v", "Bind mount a volume", (value) => parseVolume(value)),
  "volumes-from": list("", "Mount volumes from the specified container(s)"),
};

/** Which namespaces it shares, and its names. */
const namespaceFlags = {
  cgroupns: parsed("", "Cgroup namespace to use (host|private)", "string", parseNamespaceMode("cgroupns")),
  domainname: text("", "Container NIS domain name"),
  hostname: text("h", "Container host name"),
  ipc: parsed("", "IPC mode to use (host|none|private|shareable|container:NAME)", "string", parseNamespaceMode("ipc")),
  pid: parsed("", "PID namespace to use (host|private|container:NAME)", "string", parseNamespaceMode("pid")),
  "time-offset": list(
    "",
    "Set its clocks forward or back (DURATION, or monotonic=DURATION,boottime=DURATION)",
    parseTimeOffset,
    "duration",
  ),
  userns: parsed(
    "",
    "User namespace to use (host, auto, keep-id, container:NAME)",
    "string",
    parseNamespaceMode("userns"),
  ),
  uts: parsed("", "UTS namespace to use (host|private)", "string", parseNamespaceMode("uts")),
};

/** The flags that describe a container: those of `create`, and of `run` but for a few. */
export const containerFlags = {
  ...processFlags,
  ...identityFlags,
  ...limitFlags,
  ...securityFlags,
  ...fileFlags,
  ...namespaceFlags,
  ...networkFlags,
  ...healthFlags,
};
