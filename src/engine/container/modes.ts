import { SampanError } from "../../errors/index.ts";
import type { Namespace, Namespaces } from "../../runtime/types.ts";
import type { ContainerConfig, HostConfig } from "../config.ts";
import { timeOffsetsOf } from "../request/time-offsets.ts";
import type { Container } from "./live.ts";

type Find = (reference: string) => Container;

const shared = "container:";

/** The container that a mode "container:x" names. */
export function sharedContainer(mode: string): string | undefined {
  return mode.startsWith(shared) ? mode.slice(shared.length) : undefined;
}

/**
 * Throws for namespace modes that do not exist or do not go together, with dockerd's texts, and answers the modes with
 * the ids of the containers they name.
 */
export function resolveModes(config: ContainerConfig, host: HostConfig, find: Find): HostConfig {
  const byId = (mode: string) => {
    const reference = sharedContainer(mode);
    if (reference === "") {
      throw new SampanError("invalid", "invalid network mode: invalid container format container:<name|id>");
    }
    return reference === undefined ? mode : `${shared}${find(reference).id}`;
  };
  const resolved = {
    ...host,
    NetworkMode: byId(host.NetworkMode),
    PidMode: byId(host.PidMode),
    IpcMode: byId(host.IpcMode),
    UsernsMode: byId(host.UsernsMode),
  };
  checkNetwork(config, resolved);
  check("PID", host.PidMode, ["", "host"], true);
  check("UTS", host.UTSMode, ["", "host"], false);
  check("cgroup namespace", host.CgroupnsMode, ["private", "host"], false);
  check("IPC", host.IpcMode, ["none", "private", "shareable", "host"], true);
  return resolved;
}

function check(kind: string, mode: string, known: readonly string[], mayShare: boolean): void {
  if (known.includes(mode) || (mayShare && sharedContainer(mode) !== undefined)) return;
  throw new SampanError("invalid", `invalid ${kind} mode: ${mode}`);
}

function checkNetwork(config: ContainerConfig, host: HostConfig): void {
  if (host.NetworkMode === "host" && (host.Links ?? []).length > 0)
    throw conflict(undefinedLinks("host type networking"));
  if (sharedContainer(host.NetworkMode) !== undefined) {
    const [asked] = ofTheOther.filter(([is]) => is(config, host));
    if (asked !== undefined) throw conflict(asked[1]);
  }
  if (host.UTSMode === "host" && config.Hostname !== "") {
    throw new SampanError("invalid", "conflicting options: hostname and the UTS mode");
  }
}

type Conflict = readonly [(config: ContainerConfig, host: HostConfig) => boolean, string];

/** What is the business of the container whose network is used, in dockerd's words. */
const ofTheOther: readonly Conflict[] = [
  [(config) => config.Hostname !== "", "hostname and the network mode"],
  [(_, { Links }) => (Links ?? []).length > 0, undefinedLinks("container type network")],
  [(_, { Dns }) => (Dns ?? []).length > 0, "dns and the network mode"],
  [(_, { ExtraHosts }) => (ExtraHosts ?? []).length > 0, "custom host-to-IP mapping and the network mode"],
  [({ MacAddress }) => (MacAddress ?? "") !== "", "mac-address and the network mode"],
  [
    (_, { PortBindings, PublishAllPorts }) => PublishAllPorts || Object.keys(PortBindings ?? {}).length > 0,
    "port publishing and the container type network mode",
  ],
  [
    ({ ExposedPorts }) => Object.keys(ExposedPorts ?? {}).length > 0,
    "port exposing and the container type network mode",
  ],
];

function undefinedLinks(kind: string): string {
  return `${kind} can't be used with links. This would result in undefined behavior`;
}

function conflict(what: string): SampanError {
  return new SampanError("invalid", `conflicting options: ${what}`);
}

/** The namespaces of a container that is about to start. "conflict" when one it is to join does not run. */
export function namespacesOf(host: HostConfig, find: Find): Namespaces {
  const of = (mode: string, what: string): Namespace => {
    if (mode === "host") return "host";
    const reference = sharedContainer(mode);
    if (reference === undefined) return "new";
    const container = find(reference);
    if (container.running === undefined) {
      throw new SampanError("conflict", `cannot join ${what} of a non running container: ${container.id}`);
    }
    return { pid: container.running.pid };
  };
  return {
    pid: of(host.PidMode, "PID"),
    network: of(host.NetworkMode, "network namespace"),
    ipc: ipcOf(host.IpcMode, find),
    uts: host.UTSMode === "host" ? "host" : "new",
    cgroup: host.CgroupnsMode === "host" ? "host" : "new",
    ...clocks(host),
  };
}

/** Only a container that says so shares its memory: `--ipc shareable`. */
function ipcOf(mode: string, find: Find): Namespace {
  const reference = sharedContainer(mode);
  if (reference === undefined) return mode === "host" ? "host" : "new";
  const { id, running, record } = find(reference);
  const failure = `failed to join IPC namespace: container ${id}`;
  if (running === undefined) throw new SampanError("conflict", `${failure} is not running`);
  if (record.hostConfig.IpcMode !== "shareable") {
    const hint = "non-shareable IPC (hint: use IpcMode:shareable for the donor container)";
    throw new SampanError("invalid", `${failure}: ${hint}`);
  }
  return { pid: running.pid };
}

/** Which namespaces somebody who enters a running container has to enter: whose they are first of all, is no matter. */
export function enteredNamespaces(host: HostConfig): Namespaces {
  const of = (mode: string) => (mode === "host" ? "host" : "new");
  return {
    pid: of(host.PidMode),
    network: of(host.NetworkMode),
    ipc: of(host.IpcMode),
    uts: of(host.UTSMode),
    cgroup: of(host.CgroupnsMode),
    ...clocks(host),
  };
}

function clocks(host: HostConfig): Pick<Namespaces, "time"> {
  const time = timeOffsetsOf(host);
  return time === undefined ? {} : { time };
}
