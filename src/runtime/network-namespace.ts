import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import { linkUp, loopbackIndex } from "../kernel/netlink/link.ts";
import { ask, openNetlink } from "../kernel/netlink/request.ts";
import type { Program } from "../kernel/program.ts";
import { openProcessDirectory } from "./process-directory.ts";

/**
 * A container's network namespace, held by descriptors of the worker that becomes its monitor. Life: made (loopback up,
 * nobody in it) → joined for the clone, so that the container is born in it → configured from outside → the descriptors
 * are closed, and it ends with the container's last process.
 */
export interface NetworkNamespace {
  readonly namespace: Slot | number;
  /** A NETLINK_ROUTE socket that was made inside: what is asked through it happens there. */
  readonly rtnetlink: Slot | number;
  /** The machine's own, to come back to. */
  readonly machine: Slot | number;
}

const NEWNET = named(f.CLONE_NEWNET, "CLONE_NEWNET");
const READ = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");

/** Makes one. Half a millisecond of a start, which is why workers do it ahead (`ReadyWorkers`). */
export function makeNetworkNamespace(
  p: Program,
): NetworkNamespace & Record<"namespace" | "rtnetlink" | "machine", Slot> {
  const machine = openOwn(p, "remember the machine's network");
  p.call("unshare", [NEWNET], { note: "make a network of its own" });
  const namespace = openOwn(p, "keep hold of it");
  return { machine, namespace, rtnetlink: configureAndLeave(p, machine) };
}

/** The new network that a process was born with, as `makeNetworkNamespace` answers one. */
export function networkOfProcess(p: Program, pid: Slot): NetworkNamespace {
  const machine = openOwn(p, "remember the machine's network");
  const directory = openProcessDirectory(p, pid);
  const namespace = p.sys("openat", [directory, p.text("ns/net"), READ, 0], { note: "keep hold of its network" });
  p.call("close", [directory], { note: "it was found" });
  p.call("setns", [namespace, NEWNET], { note: "go into it" });
  return { machine, namespace, rtnetlink: configureAndLeave(p, machine) };
}

/** In a network that is new; answers its NETLINK_ROUTE socket, back on the machine's. */
function configureAndLeave(p: Program, machine: Slot): Slot {
  const rtnetlink = openNetlink(p, "NETLINK_ROUTE", "make a socket to configure it by");
  ask(p, rtnetlink, linkUp(loopbackIndex, 1), { note: "bring up the loopback interface" });
  p.call("setns", [machine, NEWNET], { note: "go back to the machine's network" });
  return rtnetlink;
}

/** What `body` clones is born in the network. */
export function inNetwork<T>(p: Program, network: NetworkNamespace | undefined, body: () => T): T {
  if (network === undefined) return body();
  p.call("setns", [network.namespace, NEWNET], { note: "enter the container's network, to be inherited" });
  const result = body();
  p.call("setns", [network.machine, NEWNET], { note: "go back to the machine's network" });
  return result;
}

/** A monitor that held on to it would keep it alive. */
export function letGo(p: Program, network: NetworkNamespace): void {
  for (const descriptor of [network.rtnetlink, network.namespace, network.machine]) {
    p.call("close", [descriptor], { note: "the network is the container's alone" });
  }
}

function openOwn(p: Program, note: string): Slot {
  return p.sys("openat", [f.AT_FDCWD, p.text("/proc/self/ns/net"), READ, 0], { note });
}
