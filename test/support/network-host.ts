import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import type { Executor, Session } from "../../src/kernel/executor.ts";
import { Program } from "../../src/kernel/program.ts";
import { macOf } from "../../src/network/endpoints/mac.ts";
import { openNetworkHost } from "../../src/network/host/host.ts";
import type { Connection, ContainerNetworking, HostOptions, NetworkHost } from "../../src/network/host/types.ts";
import type { Address, Endpoint, NetworkRecord, PublishedPort, Subnet } from "../../src/network/types.ts";
import { makeNetworkNamespace } from "../../src/runtime/network-namespace.ts";
import { makeExecutor } from "./executor.ts";
import { eventually } from "./process.ts";
import { patience } from "./requires.ts";
import { compileProbe } from "./uplink.ts";

/** Addresses of the cable to the host outside. */
export const cable = {
  machine: { v4: "192.0.2.2", v6: "2001:db8:1::2" },
  outside: { v4: "192.0.2.1", v6: "2001:db8:1::1" },
} as const;

export function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], { encoding: "utf8" }).trim();
}

export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A network 10.81.N.0/24 and fd00:81:N::/64. */
export function network(name: string, third: number, more: Partial<NetworkRecord> = {}): NetworkRecord {
  const subnets: Subnet[] = [
    { subnet: `10.81.${third}.0/24`, gateway: `10.81.${third}.1` },
    { subnet: `fd00:81:${third}::/64`, gateway: `fd00:81:${third}::1` },
  ];
  const flags = { predefined: false, internal: false, attachable: false, ipv4: true, ipv6: true };
  const empty = { ipamOptions: {}, options: {}, labels: {} };
  return { id: hash(name), name, driver: "bridge", createdAt: 0, subnets, ...flags, ...empty, ...more };
}

/** The endpoint of a container in a network, at .HOST. */
export function connection(
  container: string,
  where: NetworkRecord,
  host: number,
  more: Partial<Endpoint> = {},
): Connection {
  const of = (family: 4 | 6): Address | undefined => {
    const found = where.subnets.find(({ subnet }) => subnet.includes(":") === (family === 6));
    if (!found || !(family === 4 ? where.ipv4 : where.ipv6)) return undefined;
    const [base = "", bits] = found.subnet.split("/");
    const address = family === 4 ? base.replace(/\.\d+$/, `.${host}`) : `${base}${host}`;
    return { address, prefix: Number(bits), ...(found.gateway !== undefined && { gateway: found.gateway }) };
  };
  const [ipv4, ipv6] = [of(4), of(6)];
  const endpoint: Endpoint = {
    id: hash(`${container} ${where.name}`),
    networkId: where.id,
    containerId: hash(container),
    interfaceName: "eth0",
    macAddress: macOf(ipv4?.address, ipv6?.address),
    linkLocal: [],
    gatewayPriority: 0,
    driverOptions: {},
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
    ...more,
  };
  return { network: where, endpoint };
}

/** "8080:80/tcp", "127.0.0.1:8080:80/udp", "[::1]:8080:80/tcp"; without an address both families' all. */
export function ports(...texts: string[]): PublishedPort[] {
  return texts.flatMap((text) => {
    const [, address, host, container, protocol] = /^(?:\[?(.*?)\]?:)?(\d+):(\d+)\/(\w+)$/.exec(text) ?? [];
    const addresses = address ? [address] : ["0.0.0.0", "::"];
    return addresses.map((hostAddress) => ({
      hostAddress,
      hostPort: Number(host),
      containerPort: Number(container),
      protocol: protocol as PublishedPort["protocol"],
    }));
  });
}

/** A network namespace that the machine's side connects, held by a worker as a monitor holds a container's. */
export class Container {
  readonly name: string;
  readonly networking: ContainerNetworking;
  readonly session: Session;
  readonly #path: string;
  readonly #access: { readonly namespace: number; readonly rtnetlink: number };
  readonly #programs: ChildProcess[] = [];
  readonly #probe: string;

  private constructor(
    name: string,
    networking: ContainerNetworking,
    session: Session,
    ids: { pid: number; namespace: number; rtnetlink: number },
    probe: string,
  ) {
    this.name = name;
    this.networking = networking;
    this.session = session;
    this.#access = ids;
    this.#path = `/proc/${ids.pid}/fd/${ids.namespace}`;
    this.#probe = probe;
  }

  static async make(
    executor: Executor,
    name: string,
    networking: ContainerNetworking,
    probe: string,
  ): Promise<Container> {
    const session = await executor.open();
    const p = new Program("make a network namespace for a test");
    const { namespace, rtnetlink } = makeNetworkNamespace(p);
    const pid = p.sys("getpid", [], { note: "who holds it" });
    const results = await session.run(p);
    const ids = { pid: results.value(pid), namespace: results.value(namespace), rtnetlink: results.value(rtnetlink) };
    return new Container(name, networking, session, ids, probe);
  }

  /** A path that stands for its network, as /proc/PID/ns/net. */
  get path(): string {
    return this.#path;
  }

  async connect(host: NetworkHost): Promise<void> {
    for (const { network } of this.networking.connections) await host.ensure(network);
    const p = new Program(`start ${this.name}`);
    host.attachment(this.networking).connect(p, this.#access);
    await this.session.run(p);
  }

  sh(script: string): string {
    return execFileSync("nsenter", [`--net=${this.path}`, "sh", "-ec", script], { encoding: "utf8" }).trim();
  }

  async serve(...served: number[]): Promise<void> {
    await this.background("serve", this.name, ...served.map(String));
  }

  /** A probe that goes on; resolves once it has said something. */
  async background(...args: string[]): Promise<ChildProcess> {
    const child = spawn("nsenter", [`--net=${this.path}`, this.#probe, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#programs.push(child);
    if (args[0] === "serve") await once(child.stdout, "data");
    return child;
  }

  ask(...targets: string[]): Promise<Record<string, string>> {
    return askBy(["nsenter", `--net=${this.path}`, this.#probe], targets);
  }

  /** As the kernel ends it: the monitor is gone, and its descriptors. */
  async end(): Promise<void> {
    for (const child of this.#programs) await stop(child);
    this.session.close();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function askBy(command: readonly string[], targets: readonly string[]): Promise<Record<string, string>> {
  const [file = "", ...args] = [...command, "ask", String(700 * Math.min(patience, 4)), ...targets];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  await once(child, "close");
  const answers = new Map(said.split("\n").map((line) => line.split(" = ") as [string, string]));
  return Object.fromEntries(targets.map((target) => [target, answers.get(target) ?? "nothing"]));
}

/** The machine is the test's own process's network; `outside` is a host at the other end of eth0. */
export class KernelWorld {
  readonly suffix = "-0f0f0f";
  readonly table = `inet sampan${this.suffix}`;
  directory = "";
  probe = "";
  host!: NetworkHost;
  outside!: Container;
  #executor: (Executor & AsyncDisposable) | undefined;
  readonly #options: HostOptions;
  readonly #containers = new Set<Container>();

  constructor(options: HostOptions = {}) {
    this.#options = options;
  }

  get executor(): Executor {
    if (!this.#executor) throw new Error("the world is not open");
    return this.#executor;
  }

  async open(): Promise<void> {
    this.directory = mkdtempSync(join(tmpdir(), "sampan-test-"));
    this.probe = await compileProbe(this.directory);
    this.#executor = makeExecutor(join(this.directory, "executor.sock"));
    this.host = this.#newHost();
    const none: ContainerNetworking = { containerId: hash("outside"), connections: [], ports: [] };
    this.outside = await Container.make(this.executor, "outside", none, this.probe);
    const { machine, outside } = cable;
    sh(`ip link add eth0 type veth peer name uplink netns ${this.outside.path}
ip addr add ${machine.v4}/24 dev eth0; ip addr add ${machine.v6}/64 dev eth0 nodad; ip link set eth0 up`);
    this.outside.sh(`ip addr add ${outside.v4}/24 dev uplink; ip addr add ${outside.v6}/64 dev uplink nodad; ip link set uplink up
ip route add 10.81.0.0/16 via ${machine.v4}; ip -6 route add fd00::/8 via ${machine.v6}`);
    sh(`ip route add default via ${outside.v4}; ip -6 route add default via ${outside.v6}`);
    await this.outside.serve(7000);
    const tentative = "ip -6 addr show tentative";
    await eventually("addresses are settled", async () => sh(tentative) + this.outside.sh(tentative) === "");
  }

  /** As a daemon that is killed, and starts anew. */
  async restart(): Promise<void> {
    await this.host.close();
    this.host = this.#newHost();
  }

  #newHost(): NetworkHost {
    return openNetworkHost({ executor: this.executor, suffix: this.suffix, options: this.#options });
  }

  async start(
    name: string,
    connections: readonly Connection[],
    published: readonly PublishedPort[] = [],
  ): Promise<Container> {
    const networking = { containerId: hash(name), connections, ports: published };
    const container = await Container.make(this.executor, name, networking, this.probe);
    this.#containers.add(container);
    await container.connect(this.host);
    await this.host.started(networking);
    return container;
  }

  async end(container: Container): Promise<void> {
    this.#containers.delete(container);
    await container.end();
    await this.host.release(container.networking);
    // The kernel takes the links away a moment after their namespace
    const [first] = container.networking.connections;
    const id = hash(`${container.name} ${first?.network.name}`).slice(0, 13);
    const link = first?.endpoint.hostInterface ?? `ve${id}`;
    await eventually(`${container.name}'s link is gone`, () => !existsSync(`/sys/class/net/${link}`));
  }

  /** Ends all containers that are left. */
  async clear(): Promise<void> {
    for (const container of [...this.#containers]) await this.end(container);
  }

  /** What the machine itself gets for an answer. */
  ask(...targets: string[]): Promise<Record<string, string>> {
    return askBy([this.probe], targets);
  }

  elements(set: string): string {
    return sh(`nft list set ${this.table} ${set} 2>/dev/null || nft list map ${this.table} ${set}`);
  }

  /** Whether rules see frames that stay within a bridge; a kernel without br_netfilter shows none. */
  bridgeFilter(value: 0 | 1): void {
    const settings = ["ip", "ip6"].map((family) => `net.bridge.bridge-nf-call-${family}tables=${value}`);
    const there = "test -e /proc/sys/net/bridge/bridge-nf-call-iptables";
    if (value === 0) sh(`! ${there} || sysctl -qw ${settings.join(" ")}`);
    else sh(`${there} || modprobe br_netfilter; sysctl -qw ${settings.join(" ")}`);
  }

  async close(): Promise<void> {
    await this.clear();
    await this.host.close({ remove: true });
    await this.outside.end();
    await this.#executor?.[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true });
  }

  /** What of ours is there. */
  left(): string[] {
    const links = sh("ip -o link")
      .split("\n")
      .filter((line) => !/: (lo|eth0)[:@]/.test(line));
    return [
      ...links,
      ...sh("nft list tables")
        .split("\n")
        .filter((line) => line !== ""),
    ];
  }
}

/** A world for all tests of the file, that has to be empty afterwards. */
export function kernelWorld(options: HostOptions = {}): KernelWorld {
  const world = new KernelWorld(options);
  before(() => world.open());
  afterEach(() => world.clear());
  after(() => world.close());
  return world;
}
