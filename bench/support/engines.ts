import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Namespace } from "../../test/support/namespace.ts";
import { hasPeers, PeerWorld, peersDirectory } from "../../test/support/peers.ts";
import { eventually } from "../../test/support/process.ts";
import { program } from "../../test/support/requires.ts";
import { type Sandbox, sampan } from "../../test/support/sandbox.ts";
import { Api } from "./api.ts";

/** An engine that serves Docker's API, and everything else that a benchmark has to know to ask it for something. */
export interface Engine {
  readonly name: string;
  readonly api: Api;
  readonly socket: string;
  /** A directory for files of both sides. */
  readonly directory: string;
  /** What `directory` is called where the engine is. */
  readonly inside: string;
  /** Its own command line, to be run by `beside` with `env`. */
  readonly cli: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The command line that runs `argv` where the engine is. */
  beside(argv: readonly string[]): string[];
  /** What it calls an image that was loaded as `name`. */
  imageName(name: string): string;
  /** The log options of a container whose output is in one file without limit. */
  readonly unlimited: Readonly<Record<string, string>>;
}

export type PeerName = "docker" | "podman";

interface PeerKind {
  /** The program that has to be there. */
  readonly program: string;
  readonly serve: string;
  readonly cli: readonly string[];
  readonly prefix: string;
}

const kinds: Readonly<Record<PeerName, PeerKind>> = {
  docker: {
    program: "usr/sbin/dockerd",
    serve: "dockerd --data-root /engine/docker -H unix:///engine/docker.sock",
    cli: ["docker", "-H", "unix:///engine/docker.sock"],
    prefix: "",
  },
  podman: {
    program: "usr/bin/podman",
    serve: "podman --root /engine/podman system service -t 0 unix:///engine/podman.sock",
    cli: ["podman", "--root", "/engine/podman"],
    prefix: "localhost/",
  },
};

/** Buildah's command line; its images are podman's. */
export const buildah: readonly string[] = ["buildah", "--root", "/engine/podman"];

/** The engines beside ours, in one world, and what is said of those that are not here. */
export interface Others {
  readonly engines: readonly Engine[];
  readonly missing: readonly string[];
  /** Undefined without the `peers` tool. */
  readonly world: PeerWorld | undefined;
}

/** Our daemon, which has been started. */
export function ours(box: Sandbox, closing: AsyncDisposableStack): Engine {
  const api = new Api(box.layout.apiSocket);
  closing.defer(() => api.close());
  return {
    name: "sampan",
    api,
    socket: box.layout.apiSocket,
    directory: box.directory,
    inside: box.directory,
    cli: [sampan],
    env: box.env,
    beside: (argv) => [...box.enter, ...argv],
    imageName: (name) => name,
    unlimited: { "max-size": "-1" },
  };
}

/** Where a program of the peers is; undefined: not among them. */
export function peerProgram(path: string): string | undefined {
  return hasPeers() && existsSync(join(peersDirectory, "root", path)) ? path : undefined;
}

/**
 * Starts the other engines, in one world of the `peers` tool that is named `world` and goes with `closing`, its files too. `setup`
 * is a shell script that is run in there before.
 */
export async function others(
  closing: AsyncDisposableStack,
  world: string,
  { names = ["docker", "podman"] as readonly PeerName[], setup = "" } = {},
): Promise<Others> {
  if (!hasPeers()) {
    const why = "there is no tree of the `peers` tool (SAMPAN_PEERS, PEERS; bench/README.md)";
    return { engines: [], missing: names.map((name) => `${name}: ${why}`), world: undefined };
  }
  endOnSignal(closing);
  const present = names.filter((name) => peerProgram(kinds[name].program) !== undefined);
  const missing = names.filter((name) => !present.includes(name)).map((name) => `${name}: not in the peers' tree`);
  const daemons = present.map((name) => `${kinds[name].serve} &`);
  const inside = await PeerWorld.start(`${world}-${process.pid}`, ["sh", "-c", [setup, ...daemons, "wait"].join("\n")]);
  closing.defer(() => inside.close());
  return { engines: await Promise.all(present.map((name) => reach(name, inside, closing))), missing, world: inside };
}

/** Who interrupts a benchmark does not want to keep what it has started. */
function endOnSignal(closing: AsyncDisposableStack): void {
  const end = (signal: NodeJS.Signals) => {
    process.on("uncaughtException", () => {}); // who is being asked fails now
    void closing.disposeAsync().finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, end);
  }
}

/** The engine, as soon as it answers. */
async function reach(name: PeerName, world: PeerWorld, closing: AsyncDisposableStack): Promise<Engine> {
  const { cli, prefix } = kinds[name];
  const socket = join(world.directory, `${name}.sock`);
  const api = new Api(socket);
  closing.defer(() => api.close());
  const answers = () =>
    api.call("GET", "/_ping").then(
      () => true,
      () => false,
    );
  await eventually(`${name} answers`, answers, 60_000).catch((error: unknown) => {
    throw new Error(`${name} did not start:\n${world.logs()}`, { cause: error });
  });
  closing.defer(() => clear(api));
  return {
    name,
    api,
    socket,
    directory: world.directory,
    inside: "/engine",
    cli,
    env: process.env,
    beside: (argv) => [...world.enter, ...argv],
    imageName: (image) => prefix + image,
    unlimited: {},
  };
}

/** Removes all containers, so that no cgroup of theirs stays. */
async function clear(api: Api): Promise<void> {
  const all = (await api.call("GET", "/containers/json?all=1")) as { Id: string }[];
  for (const { Id } of all) {
    await api.call("POST", `/containers/${Id}/kill`).catch(() => {}); // it does not run
    await api.call("DELETE", `/containers/${Id}?force=1`);
  }
}

/** Programs that need no engine: the peers' in their world, else this machine's. */
export interface Tools {
  readonly directory: string;
  readonly inside: string;
  /** The command line that runs `argv`. */
  beside(argv: readonly string[]): string[];
  readonly missing: readonly string[];
}

/** Looks for programs; without a world files are in `directory`. */
export function tools(names: readonly string[], world: PeerWorld | undefined, directory: string): Tools {
  const isThere = (name: string) =>
    (world === undefined ? program(name) : peerProgram(`usr/bin/${name}`)) !== undefined;
  const missing = names.filter((name) => !isThere(name)).map((name) => `${name}: not found`);
  if (world === undefined) return { directory, inside: directory, beside: (argv) => [...argv], missing };
  return { directory: world.directory, inside: "/engine", beside: (argv) => [...world.enter, ...argv], missing };
}

/** The network of the world, with this machine's files; undefined: the machine's own. */
export function networkOf(world: PeerWorld | undefined): Namespace | undefined {
  return world === undefined ? undefined : Namespace.of(world.pid);
}

/** Gives every engine an image, as `docker save` writes it. */
export async function loadAll(engines: readonly Engine[], archive: Uint8Array): Promise<void> {
  for (const { api } of engines) await api.send("POST", "/images/load", archive, "application/x-tar");
}
