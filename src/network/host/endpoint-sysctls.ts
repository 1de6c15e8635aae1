import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { endpointOption } from "../endpoints/settings.ts";
import type { Connection } from "./types.ts";

const NEWNET = named(f.CLONE_NEWNET, "CLONE_NEWNET");
const RDONLY = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
const WRONLY = named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC");

/** A file below /proc/sys and what to write. */
interface Setting {
  readonly path: string;
  readonly value: string;
}

/**
 * The settings that connections ask for of their own interfaces (com.docker.network.endpoint.sysctls). /proc/sys/net shows
 * the network of the process that opens it, so the worker goes there and back.
 */
export function setEndpointSysctls(p: Program, namespace: Slot | number, connections: readonly Connection[]): void {
  const settings = connections.flatMap(settingsOf);
  if (settings.length === 0) return;
  const own = p.text("/proc/self/ns/net");
  const machine = p.sys("openat", [f.AT_FDCWD, own, RDONLY, 0], { note: "remember the machine's network" });
  p.call("setns", [namespace, NEWNET], { note: "enter the container's network" });
  for (const { path, value } of settings) {
    const file = p.sys("openat", [f.AT_FDCWD, p.text(path), WRONLY, 0], { note: `open ${path}` });
    p.call("write", [file, p.text(value), Buffer.byteLength(value)], { note: `set it to ${value}`, full: true });
    p.call("close", [file], { note: "it is set" });
  }
  p.call("setns", [machine, NEWNET], { note: "go back to the machine's network" });
  p.call("close", [machine], { note: "it is entered" });
}

/** "net.ipv4.conf.IFNAME.log_martians=1": checked by `checkEndpoint`. */
function settingsOf({ endpoint }: Connection): Setting[] {
  const options = endpoint.driverOptions[endpointOption.sysctls]?.split(",") ?? [];
  return options.map((option) => {
    const [key = "", ...value] = option.split("=");
    const parts = key.split(".").map((part) => (/^(IFNAME|ifname)$/.test(part) ? endpoint.interfaceName : part));
    return { path: `/proc/sys/${parts.join("/")}`, value: value.join("=") };
  });
}
