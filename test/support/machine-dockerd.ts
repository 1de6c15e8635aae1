import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import { Namespace } from "./namespace.ts";
import { PeerWorld, peersDirectory } from "./peers.ts";
import { eventually, runProgram, succeed } from "./process.ts";
import { compileProbe, makeOutside, probeArchive, settled, uplink, upstreamAnswer } from "./uplink.ts";

/** The peers tool's dockerd as the machine of a test: what it does, ours has to do. */
export class DockerdMachine implements Machine {
  readonly engine = "dockerd";
  readonly link = "uplink0";
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #name = `world-${process.pid}`;
  readonly #engine: string;
  readonly #args: readonly string[];
  #namespaces: { machine: Namespace; outside: Namespace } | undefined;
  #world: PeerWorld | undefined;
  #probe = "";

  constructor(args: readonly string[]) {
    this.#args = args;
    this.#engine = join(peersDirectory, this.#name, "engine");
    this.directory = this.#engine;
    const { PATH, HOME } = process.env;
    const socket = `unix://${join(this.#engine, "docker.sock")}`;
    this.env = { PATH, HOME, DOCKER_HOST: socket, DOCKER_CONFIG: join(this.#engine, "config") };
  }

  get namespace(): Namespace {
    return this.#made.machine;
  }

  get outside(): Namespace {
    return this.#made.outside;
  }

  get #made(): { machine: Namespace; outside: Namespace } {
    if (this.#namespaces === undefined) throw new Error("the machine is not open");
    return this.#namespaces;
  }

  get #opened(): PeerWorld {
    if (this.#world === undefined) throw new Error("the machine is not open");
    return this.#world;
  }

  get probe(): string {
    return this.#probe;
  }

  async open(): Promise<void> {
    await this.start();
    this.#probe = await compileProbe(this.directory);
    const machine = Namespace.of(this.#opened.pid);
    const outside = await makeOutside(this.directory, machine, this.link);
    this.#namespaces = { machine, outside };
    await outside.background(this.#probe, "dns", upstreamAnswer);
    await outside.background(this.#probe, "serve", "outside", "7000");
    await machine.background(this.#probe, "serve", "host", "7000");
    writeFileSync(join(dirname(this.#engine), "etc/resolv.conf"), `nameserver ${uplink.outside.v4}\n`);
    await settled(machine, outside);
    await succeed("docker", ["load"], { env: this.env, input: await probeArchive(this.#probe) });
  }

  async start(args = this.#args): Promise<void> {
    const socket = ["-H", "unix:///engine/docker.sock"];
    this.#world = await PeerWorld.start(this.#name, ["dockerd", "--data-root", "/engine/data", ...socket, ...args]);
    const answers = async () => (await runProgram("docker", ["version"], { env: this.env })).status === 0;
    await eventually("dockerd answers", answers, 60_000);
  }

  async stop(): Promise<void> {
    await this.#opened.stop();
  }

  async kill(): Promise<void> {
    throw new Error("dockerd's machine does not outlive it");
  }

  async crash(): Promise<void> {
    await this.kill();
  }

  async sampan(): Promise<string> {
    throw new Error("dockerd is not Sampan");
  }

  logs(): string {
    return this.#world?.logs() ?? "";
  }

  async close(): Promise<void> {
    await this.#namespaces?.outside.close();
    await this.#namespaces?.machine.close();
    await this.#opened.close();
  }
}
