import type { AnyOptions } from "../options.ts";
import { flag, hidden, later, list, text } from "../options.ts";
import { networkFlags } from "./network-flags.ts";

const realtime = "real-time CPU limits are";
const windows = "containers for Windows are";

/** Docker's flags whose feature is not there: they are known, so that the error says what is missing. */
const refused = {
  "cpu-count": later(windows),
  "cpu-percent": later(windows),
  "cpu-rt-period": later(realtime),
  "cpu-rt-runtime": later(realtime),
  gpus: later("GPU devices are"),
  "io-maxbandwidth": later(windows),
  "io-maxiops": later(windows),
  "kernel-memory": later("kernel memory limits are"),
  "use-api-socket": later("handing the API socket to a container is", { isSwitch: true }),
};

/** Docker's flags that mean nothing new here: the daemon knows the one value they may have; and older spellings. */
const tolerated = {
  "disable-content-trust": hidden(flag("", "", true)),
  "dns-opt": hidden(list("", "")),
  isolation: hidden(text("", "")),
  net: hidden(networkFlags.network),
  "net-alias": hidden(networkFlags["network-alias"]),
  runtime: hidden(text("", "")),
  "volume-driver": hidden(text("", "")),
};

/** The flags that describe a container and stay out of the help. */
export const quietFlags = { ...refused, ...tolerated } satisfies AnyOptions;

/** `--detach-keys`, shared by everything that attaches. */
export const detachKeysFlag = text("", "Override the key sequence for detaching a container");
