/**
 * How long a container takes from asking for it to its exit status, and its removal: Sampan against the limit (a C program
 * doing the same kernel work) and every engine found on this machine or among the peers. See bench/README.md.
 *
 *   npm run bench -- [--rounds N] [--json FILE] [--only WORD]… [--network none|bridge]…
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { removeTree, type Sandbox, sampan } from "../test/support/sandbox.ts";
import { Api, apiStart } from "./support/api.ts";
import { bundleDirectory, configureBundle } from "./support/bundle.ts";
import { clocked, compile } from "./support/clock.ts";
import { type Engine, loadAll, others } from "./support/engines.ts";
import { limit, limitCrowd, theLimit } from "./support/limit.ts";
import { startMachine } from "./support/machine.ts";
import { type Contestant, type Race, race, table } from "./support/measure.ts";
import { machine, versions } from "./support/report.ts";
import { inCrowds, perSecond } from "./support/throughput.ts";

const image = "bench:latest";
const crowdOf = { count: 160, jobs: 16 };
const crowdRounds = 9;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    json: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
    network: { type: "string", multiple: true, default: ["none", "bridge"] },
  },
});

interface Bench {
  readonly box: Sandbox;
  /** A daemon whose one container has a thousand ports. */
  readonly crowded: Sandbox;
  /** Scratch space on a disk. */
  readonly directory: string;
  readonly rootfs: string;
  readonly archive: Buffer;
  /** The compiled timer.c. */
  readonly timer: string;
}

async function prepare(closing: AsyncDisposableStack): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), "sampan-bench-"));
  closing.defer(() => removeTree(directory));
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs);
  const made = await busybox();
  await succeed("tar", ["-x", "-C", rootfs], { input: made.layers[0] ?? "" });
  const archive = await dockerArchive(made, [image]);
  const { box } = await startMachine(closing, archive);
  const { box: crowded } = await startMachine(closing, archive);
  return { box, crowded, directory, rootfs, archive, timer: await compile("timer", directory) };
}

interface Peers {
  /** Each in a world of its own, so that nobody meets another's firewall. */
  readonly engines: readonly Engine[];
  readonly missing: readonly string[];
}

async function startPeers(bench: Bench, closing: AsyncDisposableStack): Promise<Peers> {
  const docker = await others(closing, "bench-docker", { names: ["docker"] });
  const podman = await others(closing, "bench-podman", { names: ["podman"] });
  const engines = [...docker.engines, ...podman.engines];
  await loadAll(engines, bench.archive);
  for (const { directory } of engines) await succeed("cp", [bench.timer, directory]);
  return { engines, missing: [...docker.missing, ...podman.missing] };
}

const inside = (name: string, engine: Engine, argv: readonly string[]) =>
  clocked(name, engine.beside(["/engine/timer", ...argv]));

/** Daemons by their API; runtimes, which have no network to offer, by their command line. */
async function othersByApi(bench: Bench, { engines }: Peers, network: string): Promise<Contestant[]> {
  const host = engines[0];
  const bare = network === "none" && host !== undefined ? await runtimes(bench, host) : [];
  return [
    ...bare,
    ...engines.map(({ name, api, imageName }) => apiStart(`${name} API`, api, imageName(image), network)),
  ];
}

const othersByCommand = ({ engines }: Peers, network: string): Contestant[] =>
  engines.map((engine) => {
    const run = [...engine.cli, "run", "--rm", "--network", network, image, "true"];
    return inside(`${engine.name} run --rm`, engine, run);
  });

/** The engines without a daemon, images, overlay or limits: on a bundle beside `host`, because crun refuses hybrid cgroups. */
async function runtimes(bench: Bench, host: Engine): Promise<Contestant[]> {
  await succeed("cp", ["-a", bench.rootfs, host.directory]);
  const runtimes: Contestant[] = [];
  for (const name of ["crun", "runc"]) {
    const bundle = bundleDirectory(host.directory, name);
    const [file = "", ...args] = host.beside(["sh", "-c", `cd /engine/bundle-${name} && ${name} spec`]);
    await succeed(file, args);
    configureBundle(bundle, "/engine/rootfs");
    const run = [name, "run", "--bundle", `/engine/bundle-${name}`, `sampan-bench-${process.pid}`];
    runtimes.push(inside(`${name} run`, host, run));
  }
  return runtimes;
}

function wanted(contestants: readonly Contestant[]): Contestant[] {
  const only = values.only;
  return contestants.filter(
    ({ name }) => only.length === 0 || only.some((word) => name.includes(word)) || isBase(name),
  );
}

const isBase = (name: string): boolean => name.startsWith("the limit") || name.startsWith("node -e");

/** A container that keeps every second port of 2,000, so that they are a thousand elements. */
async function crowd(api: Api): Promise<void> {
  const bindings = Array.from({ length: 1000 }, (_, i) => ({ HostPort: String(20_000 + 2 * i) }));
  const config = { Image: image, Cmd: ["sleep", "10000"], HostConfig: { PortBindings: { "80/tcp": bindings } } };
  const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
  await api.call("POST", `/containers/${Id}/start`);
}

/** What a start costs with one port and with none, where nobody else has any and where another container has 1,000. */
async function raceAmongPorts(bench: Bench, closing: AsyncDisposableStack): Promise<Race> {
  const [alone, crowded] = [new Api(bench.box.layout.apiSocket), new Api(bench.crowded.layout.apiSocket)];
  for (const api of [alone, crowded]) closing.defer(async () => api.close());
  await crowd(crowded);
  const one = { PortBindings: { "80/tcp": [{ HostPort: "" }] } };
  const contestants = [
    apiStart("no ports", alone, image, "bridge"),
    apiStart("no ports, 1,000 of others", crowded, image, "bridge"),
    apiStart("one port", alone, image, "bridge", one),
    apiStart("one port, 1,000 of others", crowded, image, "bridge", one),
  ];
  return await race(contestants, Number(values.rounds));
}

interface Result {
  readonly network: string;
  readonly api: Race;
  readonly cli: Race;
  /** Crowds, 16 at a time. */
  readonly crowds: Race;
}

async function measure(bench: Bench, peers: Peers, network: string, closing: AsyncDisposableStack): Promise<Result> {
  const { box, directory, rootfs: lower } = bench;
  const sampanApi = apiStart("sampan API", new Api(box.layout.apiSocket), image, network);
  const run = [sampan, "run", "--rm", "--network", network, image, "true"];
  const byApi = await othersByApi(bench, peers, network);
  const api = wanted([await limit(directory, lower, network), sampanApi, ...byApi]);
  const cli = wanted([
    clocked("node -e 0", [bench.timer, process.execPath, "-e", "0"]),
    clocked("sampan run --rm", [...box.enter, bench.timer, ...run], box.env),
    ...othersByCommand(peers, network),
  ]);
  for (const contestant of [...api, ...cli]) {
    closing.defer(async () => await contestant.close?.());
  }
  const rounds = Number(values.rounds);
  return {
    network,
    api: await race(api, rounds),
    cli: await race(cli, rounds),
    crowds: await race([limitCrowd({ directory, lower, network }, crowdOf), inCrowds(sampanApi, crowdOf)], crowdRounds),
  };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const bench = await prepare(closing);
  const peers = await startPeers(bench, closing);
  const results: Result[] = [];
  for (const network of values.network) results.push(await measure(bench, peers, network, closing));
  const ports = values.network.includes("bridge") ? await raceAmongPorts(bench, closing) : undefined;
  report(`${machine}; ${await versions(peers.engines)}`, peers.missing, results, ports);
}

function report(head: string, missing: readonly string[], results: readonly Result[], ports: Race | undefined): void {
  const sections = results.flatMap(({ network, api, cli, crowds }) => [
    table(`network ${network}: create, start, wait, remove`, api.rows, theLimit),
    table(`network ${network}: command line`, cli.rows, "node -e 0"),
    table(`network ${network}: ${crowdOf.count} of them, ${crowdOf.jobs} at a time`, crowds.rows, theLimit),
    perSecond(crowds, crowdOf, theLimit),
    ...[...api.out, ...cli.out].map((why) => `left out: ${why}`),
  ]);
  const crowded = ports === undefined ? [] : [table("ports, over the API", ports.rows, "no ports"), ...ports.out];
  const absent = missing.map((why) => `missing: ${why}`);
  const about = `${head}; ${values.rounds} rounds, interleaved`;
  process.stdout.write(`${[about, ...absent, ...sections, ...crowded].join("\n\n")}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ head, missing, results, ports }, null, 2));
}

await main();
