import { daemonEntry, daemonEnvironment, nodeFlags } from "../../client/daemon-entry.ts";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { folded, list, text } from "../options.ts";

/** A switch that is passed on as it was given. */
const passed = (help: string) =>
  folded<string | undefined>("", help, "", { initial: undefined, read: (value) => value });

/** The daemon checks their values; their names are dockerd's. */
const networking = {
  bip: text("", "IPv4 address and network of the default bridge (CIDR)"),
  bip6: text("", "IPv6 address and network of the default bridge (CIDR)"),
  bridge: text("b", "Make the default network of this bridge of the machine; none: have no default network"),
  "default-address-pool": list("", "Cut networks that name no subnet from there (base=CIDR,size=BITS)"),
  "default-network-opt": list("", "What networks of a driver have by default (DRIVER=OPTION=VALUE)"),
  dns: list("", "DNS server of containers that name none"),
  "dns-opt": list("", "DNS option of containers that name none"),
  "dns-search": list("", "DNS search domain of containers that name none"),
  "fixed-cidr": text("", "IPv4 range of the containers on the default bridge"),
  "fixed-cidr-v6": text("", "IPv6 range of the containers on the default bridge"),
  "host-gateway-ip": list("", "What host-gateway in --add-host stands for"),
  icc: passed("Let containers on the default bridge reach each other (default true)"),
  ip: text("", "Publish the ports of the default bridge there (default 0.0.0.0)"),
  "ip-forward": passed("Switch the machine's forwarding on where it is needed (default true)"),
  "ip-masq": passed("Give what leaves the default bridge the machine's address (default true)"),
  ipv6: passed("Have IPv6 on the default bridge"),
  mtu: text("", "MTU of the default bridge's links"),
  "publish-policy": text(
    "",
    "Who reaches published ports: direct, or input: whom the machine's input rules let (default direct)",
  ),
};

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Run the daemon in the foreground",
  arity: { min: 0, max: 0 },
  options: {
    root: text("", "Where images and containers are kept"),
    run: text("", "Where the socket and the pid file are"),
    host: list("H", "Listen there, too: unix:///path or tcp://127.0.0.1:port"),
    "idle-exit": folded<string | undefined>("", "Leave when idle for so many seconds (60 without a number)", "", {
      initial: undefined,
      read: (value) => (value === "true" ? "" : value),
    }),
    "log-level": text("", "fatal, error, warn, info, debug or trace (default info)"),
    "log-file": text("", "Write the log there instead of to standard error"),
    "insecure-registry": list("", "Speak to this registry without verified TLS"),
    "registry-config": text("", "Where registries.json and certs.d are (default /etc/sampan)"),
    "registry-mirror": list("", "Ask this host before docker.io"),
    "userns-remap": text("", "Give containers ids of their own (default, or USER[:GROUP] of /etc/subuid)"),
    "storage-opt": list("", "Storage option: overlay2.size=SIZE, what a container may write unless it says otherwise"),
    ...networking,
  },
  run: async (_context, _args, values) => {
    const flags = Object.entries(values).flatMap(([name, value]) => {
      const texts = Array.isArray(value) ? value : value === undefined ? [] : [value];
      return texts.map((each) => `--${name}=${each}`);
    });
    if (process.execve === undefined) throw new ExitError(125, "This Node has no execve: use Node 24 or newer");
    // The daemon takes this process over: same pid, signals and terminal, and nothing of the command line in memory.
    process.removeAllListeners("warning");
    process.execve(
      process.execPath,
      [process.execPath, ...nodeFlags, daemonEntry(), ...flags],
      daemonEnvironment(process.env),
    );
  },
});
