/**
 * How long a container takes from asking for it to its exit status, and its removal: Sampan against the limit (a C program
 * doing the same kernel work) and every engine found on this machine or among the peers. See bench/README.md.
 *
 *   npm run bench -- [--rounds N] [--json FILE] [--only WORD]…
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox, sampan } from "../test/support/sandbox.ts";
import { Api, apiStart } from "./support/api.ts";
import { bundleDirectory, configureBundle } from "./support/bundle.ts";
import { clocked, compile } from "./support/clock.ts";
import { limit, limitThroughput } from "./support/limit.ts";
import { type Contestant, type Race, race, table } from "./support/measure.ts";
import { hasPeers, type Peer, startPeer } from "./support/peers.ts";

const image = "bench:latest";
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    json: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
  },
});

interface Bench {
  readonly box: Sandbox;
  /** Scratch space on a disk. */
  readonly directory: string;
  readonly rootfs: string;
  readonly archive: Buffer;
  /** The compiled timer.c. */
  readonly timer: string;
}

async function prepare(closing: AsyncDisposableStack): Promise<Bench> {
  const box = new Sandbox();
  closing.defer(() => box.close());
  const rootfs = join(box.directory, "rootfs");
  mkdirSync(rootfs);
  const made = await busybox();
  await succeed("tar", ["-x", "-C", rootfs], { input: made.layers[0] ?? "" });
  const archive = await dockerArchive(made, [image]);
  await box.start();
  const { status, stderr } = await box.run(["load"], { input: archive });
  if (status !== 0) throw new Error(`sampan load: ${stderr}`);
  return { box, directory: box.directory, rootfs, archive, timer: await compile("timer", box.directory) };
}

/** The engines of the `peers` tool: daemons by their API and command line, runtimes by their command line. */
async function peers(bench: Bench, closing: AsyncDisposableStack): Promise<{ api: Contestant[]; cli: Contestant[] }> {
  if (!hasPeers()) return { api: [], cli: [] };
  const load = async (peer: Peer) => {
    closing.defer(() => peer.close());
    await peer.api.send("POST", "/images/load", bench.archive, "application/x-tar");
    return peer;
  };
  const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
  const docker = await load(await startPeer("bench-docker", dockerd, "docker.sock"));
  const service = ["podman", "--root", "/engine/data", "system", "service", "-t", "0", "unix:///engine/podman.sock"];
  const podman = await load(await startPeer("bench-podman", service, "podman.sock"));
  const run = ["run", "--rm", "--network", "none", image, "true"];
  await succeed("cp", [bench.timer, docker.directory]);
  await succeed("cp", [bench.timer, podman.directory]);
  const inside = (name: string, peer: Peer, argv: readonly string[]) =>
    clocked(name, peer.inside(["/engine/timer", ...argv]));
  return {
    api: [
      ...(await runtimes(bench, docker)).map(([name, argv]) => inside(name, docker, argv)),
      apiStart("docker API", docker.api, image, "none"),
      apiStart("podman API", podman.api, `localhost/${image}`, "none"),
    ],
    cli: [
      inside("docker run --rm", docker, ["docker", "-H", "unix:///engine/docker.sock", ...run]),
      inside("podman run --rm", podman, ["podman", "--root", "/engine/data", ...run]),
    ],
  };
}

/** The engines without a daemon, images, overlay or limits: on a bundle in `peer`, because crun refuses hybrid cgroups. */
async function runtimes(bench: Bench, peer: Peer): Promise<[name: string, argv: string[]][]> {
  await succeed("cp", ["-a", bench.rootfs, peer.directory]);
  const runtimes: [string, string[]][] = [];
  for (const name of ["crun", "runc"]) {
    const bundle = bundleDirectory(peer.directory, name);
    const [file = "", ...args] = peer.inside(["sh", "-c", `cd /engine/bundle-${name} && ${name} spec`]);
    await succeed(file, args);
    configureBundle(bundle, "/engine/rootfs");
    runtimes.push([`${name} run`, [name, "run", "--bundle", `/engine/bundle-${name}`, `sampan-bench-${process.pid}`]]);
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

/** Containers per second over the API, `jobs` at a time. */
async function throughput(start: Contestant, count: number, jobs: number): Promise<number> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await start.once();
  };
  await start.once();
  const begin = performance.now();
  await Promise.all(Array.from({ length: jobs }, worker));
  return count / ((performance.now() - begin) / 1000);
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const bench = await prepare(closing);
  const others = await peers(bench, closing);
  const sampanApi = apiStart("sampan API", new Api(bench.box.layout.apiSocket), image, "none");
  const run = [sampan, "run", "--rm", "--network", "none", image, "true"];
  const api = wanted([await limit(bench.directory, bench.rootfs), sampanApi, ...others.api]);
  const cli = wanted([
    clocked("node -e 0", [bench.timer, process.execPath, "-e", "0"]),
    clocked("sampan run --rm", [bench.timer, ...run], bench.box.env),
    ...others.cli,
  ]);
  for (const contestant of [...api, ...cli]) closing.defer(async () => await contestant.close?.());
  const rounds = Number(values.rounds);
  report(await race(api, rounds), await race(cli, rounds), {
    limit: await limitThroughput(bench.directory, bench.rootfs, 320, 16),
    sampan: await throughput(sampanApi, 320, 16),
  });
}

function report(api: Race, cli: Race, perSecond: { limit: number; sampan: number }): void {
  const machine = `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}`;
  const sections = [
    `${machine}; ${values.rounds} rounds, interleaved; network none`,
    table("create, start, wait, remove `true`", api.rows, "the limit (C)"),
    table("command line, `true`", cli.rows, "node -e 0"),
    `16 at a time: ${perSecond.sampan.toFixed(0)} containers/s over the API, the limit ${perSecond.limit.toFixed(0)}/s`,
    ...[...api.out, ...cli.out].map((why) => `left out: ${why}`),
  ];
  process.stdout.write(`${sections.join("\n\n")}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ machine, api, cli, perSecond }, null, 2));
}

await main();
