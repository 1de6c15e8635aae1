import type { AnyOptions } from "../options.ts";
import { flag, hidden, later, list, parsed, text } from "../options.ts";
import { parseNetworkMode } from "../parsing/network.ts";
import { parseCgroupns, parseLogDriver, parseRestart } from "./choices.ts";

const health = "health checks are";
const perDevice = "limits per block device are";
const realtime = "real-time CPU limits are";
const networks = "networks are";
const windows = "containers for Windows are";
const volumes = "named volumes are";

/** Docker's flags whose feature is not there: they are known, so that the error says what is missing. */
const refused = {
  "blkio-weight-device": later(perDevice),
  "cpu-count": later(windows),
  "cpu-percent": later(windows),
  "cpu-rt-period": later(realtime),
  "cpu-rt-runtime": later(realtime),
  "device-cgroup-rule": later("device rules of one's own are"),
  "device-read-bps": later(perDevice),
  "device-read-iops": later(perDevice),
  "device-write-bps": later(perDevice),
  "device-write-iops": later(perDevice),
  gpus: later("GPU devices are"),
  "health-cmd": later(health),
  "health-interval": later(health),
  "health-retries": later(health),
  "health-start-interval": later(health),
  "health-start-period": later(health),
  "health-timeout": later(health),
  "io-maxbandwidth": later(windows),
  "io-maxiops": later(windows),
  ip: later(networks),
  ip6: later(networks),
  isolation: later(windows),
  "kernel-memory": later("kernel memory limits are"),
  link: later(networks),
  "link-local-ip": later(networks),
  "log-opt": later("log options are"),
  "mac-address": later(networks),
  "memory-swappiness": later("swappiness is"),
  "network-alias": later(networks),
  "net-alias": later(networks),
  "oom-kill-disable": later("disabling the OOM killer is", { isSwitch: true }),
  publish: later("publishing ports is", { short: "p" }),
  "publish-all": later("publishing ports is", { short: "P", isSwitch: true }),
  runtime: later("other runtimes are"),
  "storage-opt": later("storage options are"),
  sysctl: later("sysctls are"),
  "use-api-socket": later("handing the API socket to a container is", { isSwitch: true }),
  userns: later("user namespaces are"),
  "volume-driver": later(volumes),
  "volumes-from": later(volumes),
};

/** Docker's flags that mean nothing new here when given one of the values they may have, and older spellings. */
const tolerated = {
  cgroupns: hidden(parsed("", "", "string", parseCgroupns)),
  "disable-content-trust": hidden(flag("", "", true)),
  "dns-opt": hidden(list("", "")),
  "log-driver": hidden(parsed("", "", "string", parseLogDriver)),
  net: hidden(parsed("", "", "network", parseNetworkMode)),
  "no-healthcheck": hidden(flag("", "")),
  restart: hidden(parsed("", "", "string", parseRestart)),
};

/** The flags that describe a container and stay out of the help. */
export const quietFlags = { ...refused, ...tolerated } satisfies AnyOptions;

/** `--detach-keys`, shared by everything that attaches. */
export const detachKeysFlag = text("", "Override the key sequence for detaching a container");
