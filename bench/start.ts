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
import { program } from "../test/support/requires.ts";
import { Sandbox, sampan } from "../test/support/sandbox.ts";
import { Api, apiStart } from "./support/api.ts";
import { runtimeBundle } from "./support/bundle.ts";
import { command } from "./support/command.ts";
import { limit, limitThroughput } from "./support/limit.ts";
import { type Contestant, type Row, race, table } from "./support/measure.ts";
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
  readonly rootfs: string;
  readonly archive: Buffer;
  readonly peers: Peer[];
}

async function prepare(): Promise<Bench> {
  const box = new Sandbox();
  const rootfs = join(box.directory, "rootfs");
  mkdirSync(rootfs);
  const made = await busybox();
  await succeed("tar", ["-x", "-C", rootfs], { input: made.layers[0] ?? "" });
  const archive = await dockerArchive(made, [image]);
  await box.start();
  const { status, stderr } = await box.run(["load"], { input: archive });
  if (status !== 0) throw new Error(`sampan load: ${stderr}`);
  return { box, rootfs, archive, peers: [] };
}

/** The engines that run as daemons, by their API and by their command line. */
async function daemons(bench: Bench): Promise<{ api: Contestant[]; cli: Contestant[] }> {
  if (!hasPeers()) return { api: [], cli: [] };
  const load = async (peer: Peer) => {
    bench.peers.push(peer);
    await peer.api.send("POST", "/images/load", bench.archive, "application/x-tar");
    return peer;
  };
  const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
  const docker = await load(await startPeer("bench-docker", dockerd, "docker.sock"));
  const service = ["podman", "--root", "/engine/data", "system", "service", "-t", "0", "unix:///engine/podman.sock"];
  const podman = await load(await startPeer("bench-podman", service, "podman.sock"));
  const env = { PATH: process.env.PATH, DOCKER_HOST: `unix://${docker.socket}` };
  const run = ["run", "--rm", "--network", "none", image, "true"];
  return {
    api: [
      apiStart("docker API", docker.api, image, "none"),
      apiStart("podman API", podman.api, `localhost/${image}`, "none"),
    ],
    cli: [
      ...(program("docker") === undefined ? [] : [command("docker run --rm", ["docker", ...run], env)]),
      command("podman run --rm", podman.inside(["podman", "--root", "/engine/data", ...run])),
    ],
  };
}

/** The engines without a daemon and without images. */
async function runtimes(bench: Bench): Promise<Contestant[]> {
  const found = ["crun", "runc"].filter((name) => program(name) !== undefined);
  return Promise.all(
    found.map(async (name) => {
      const bundle = await runtimeBundle(bench.box.directory, name, bench.rootfs);
      const root = join(bench.box.directory, `state-${name}`);
      const argv = ["--root", root, "run", "--bundle", bundle, `sampan-bench-${process.pid}`];
      return command(`${name} run (no image, no overlay)`, [program(name) ?? name, ...argv]);
    }),
  );
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
  const bench = await prepare();
  const rounds = Number(values.rounds);
  const closing: Contestant[] = [];
  try {
    const sampanApi = apiStart("sampan API", new Api(bench.box.layout.apiSocket), image, "none");
    const others = await daemons(bench);
    const api = wanted([
      await limit(bench.box.directory, bench.rootfs),
      sampanApi,
      ...(await runtimes(bench)),
      ...others.api,
    ]);
    const run = [sampan, "run", "--rm", "--network", "none", image, "true"];
    const cli = wanted([
      command("node -e 0", [process.execPath, "-e", "0"]),
      command("sampan run --rm", run, bench.box.env),
      ...others.cli,
    ]);
    closing.push(...api, ...cli);
    report(await race(api, rounds), await race(cli, rounds), {
      limit: await limitThroughput(bench.box.directory, bench.rootfs, 320, 16),
      sampan: await throughput(sampanApi, 320, 16),
    });
  } finally {
    for (const contestant of closing) await contestant.close?.();
    for (const peer of bench.peers) await peer.close();
    await bench.box.close();
  }
}

function report(api: Row[], cli: Row[], perSecond: { limit: number; sampan: number }): void {
  const machine = `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}`;
  const sections = [
    `${machine}; ${values.rounds} rounds, interleaved; network none`,
    table("create, start, wait, remove `true`", api, "the limit (C)"),
    table("command line, `true`", cli, "node -e 0"),
    `16 at a time: ${perSecond.sampan.toFixed(0)} containers/s over the API, the limit ${perSecond.limit.toFixed(0)}/s`,
  ];
  process.stdout.write(`${sections.join("\n\n")}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ machine, api, cli, perSecond }, null, 2));
}

await main();
