/**
 * Traffic: HTTP requests per second through a published port from the machine itself, a new connection each, against the
 * bare server and docker's default; bytes per second between two containers, against veth pairs made by hand. See
 * bench/README.md.
 *
 *   tools/node bench/network.ts [--rounds N] [--seconds N] [--json FILE]
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dockerArchive, tar } from "../test/support/images.ts";
import { Namespace } from "../test/support/namespace.ts";
import { eventually } from "../test/support/process.ts";
import { removeTree, type Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { compile } from "./support/clock.ts";
import { loadAll, networkOf, others } from "./support/engines.ts";
import { startMachine } from "./support/machine.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    json: { type: "string" },
  },
});
const image = "http:latest";
const milliseconds = String(Number(values.seconds) * 1000);

/** One whose rate is measured: more is better. */
interface Runner {
  readonly name: string;
  rate(): Promise<number>;
}

interface Rates {
  readonly name: string;
  readonly rates: readonly number[];
}

/** In turn, round after round; the first round is not counted. */
async function compete(runners: readonly Runner[]): Promise<Rates[]> {
  const rates = new Map(runners.map((runner) => [runner, [] as number[]]));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [runner, taken] of rates) {
      const rate = await runner.rate();
      if (round > 0) taken.push(rate);
    }
  }
  return [...rates].map(([{ name }, taken]) => ({ name, rates: taken }));
}

function table(title: string, unit: string, results: readonly Rates[]): string {
  const median = (rates: readonly number[]) =>
    rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? Number.NaN;
  const base = median(results[0]?.rates ?? []);
  const rows = results.map(({ name, rates }) => {
    const percent = ((100 * median(rates)) / base).toFixed(0);
    return `| ${name} | ${Math.max(...rates).toFixed(0)} | ${median(rates).toFixed(0)} | ${percent} % |`;
  });
  return [`| ${title} | best ${unit} | median ${unit} | of base |`, "|---|--:|--:|--:|", ...rows].join("\n");
}

/** Requests per second from `here` to a port. */
function load(name: string, here: Namespace, http: string, port: number, address = "127.0.0.1"): Runner {
  return {
    name,
    rate: async () => {
      const said = await here.ok(http, "load", address, String(port), "8", milliseconds);
      const [answered = 0, failed = 0, took = 0] = said.split(" ").map(Number);
      if (failed > answered / 1000) throw new Error(`${name}: ${failed} of ${answered + failed} requests failed`);
      return answered / (took / 1000);
    },
  };
}

const published = { PortBindings: { "8080/tcp": [{ HostPort: "8080" }] } };

/** Starts a server; its own address, where it has one. */
async function serve(api: Api, port: string, HostConfig: object): Promise<string> {
  const config = { Image: image, Cmd: ["/http", "serve", port], ExposedPorts: { [`${port}/tcp`]: {} }, HostConfig };
  const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
  await api.call("POST", `/containers/${Id}/start`);
  const { NetworkSettings } = (await api.call("GET", `/containers/${Id}/json`)) as Inspected;
  return NetworkSettings.Networks.bridge?.IPAddress ?? "";
}

interface Inspected {
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string } | undefined>> };
}

async function namespace(directory: string, name: string): Promise<Namespace> {
  const scratch = join(directory, name);
  mkdirSync(scratch);
  return await Namespace.make(`${name} in ${directory}`, scratch);
}

async function httpRunners(
  box: Sandbox,
  machine: Namespace,
  bench: Bench,
  closing: AsyncDisposableStack,
): Promise<{ readonly runners: readonly Runner[]; readonly missing: readonly string[] }> {
  const bare = await namespace(bench.directory, "bare");
  closing.defer(() => bare.close());
  await bare.background(bench.http, "serve", "8080");
  await machine.background(bench.http, "serve", "8082");
  const api = new Api(box.layout.apiSocket);
  await serve(api, "8080", published);
  await serve(api, "8081", { NetworkMode: "host" });
  // Another one: connections that come to one port by two ways are in each other's way (docs/decisions)
  const address = await serve(api, "8080", {});
  api.close();
  const runners = [
    load("bare server", bare, bench.http, 8080),
    load("bare server, beside our rules", machine, bench.http, 8082),
    load("sampan --network host", machine, bench.http, 8081),
    load("sampan, the container's own address", machine, bench.http, 8080, address),
    load("sampan -p", machine, bench.http, 8080),
  ];
  const { engines, missing, world } = await others(closing, "bench-network", { names: ["docker"] });
  await loadAll(engines, bench.archive);
  for (const docker of engines) await serve(docker.api, "8080", published);
  const inside = networkOf(world);
  if (inside !== undefined && engines.length > 0) {
    runners.push(load("docker -p, with its proxy", inside, bench.http, 8080));
  }
  return { runners, missing };
}

/** Megabits per second from one place to a server that runs in another. */
function iperf(name: string, run: (argv: readonly string[]) => Promise<string>, address: string): Runner {
  return {
    name,
    rate: async () => {
      const said = await run(["iperf3", "-J", "-t", values.seconds, "-c", address]);
      const { end } = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } };
      return end.sum_received.bits_per_second / 1e6;
    },
  };
}

/** Two namespaces with a cable between them, or each with a cable to a bridge in a third. */
async function byHand(directory: string, bridged: boolean, closing: AsyncDisposableStack): Promise<Runner> {
  const kind = bridged ? "bridged" : "direct";
  const [a, b] = [await namespace(directory, `${kind}-a`), await namespace(directory, `${kind}-b`)];
  closing.defer(() => a.close());
  closing.defer(() => b.close());
  if (bridged) {
    const middle = await namespace(directory, `${kind}-middle`);
    closing.defer(() => middle.close());
    await middle.ok("ip", "link", "add", "br0", "up", "type", "bridge");
    for (const [name, end] of [
      ["va", a],
      ["vb", b],
    ] as const) {
      await middle.connect(name, end, "eth0");
      await middle.ok("ip", "link", "set", name, "master", "br0", "up");
    }
  } else {
    await a.connect("eth0", b, "eth0");
  }
  for (const [address, end] of [
    ["10.0.0.1/24", a],
    ["10.0.0.2/24", b],
  ] as const) {
    await end.ok("ip", "addr", "add", address, "dev", "eth0");
    await end.ok("ip", "link", "set", "eth0", "up");
  }
  await b.background("iperf3", "-s", "--forceflush");
  return iperf(bridged ? "veth pairs and a bridge by hand" : "veth pair by hand", (argv) => a.ok(...argv), "10.0.0.2");
}

async function betweenContainers(box: Sandbox): Promise<Runner> {
  await box.ok("network", "create", "speed");
  await box.ok("run", "-d", "--name", "server", "--network", "speed", "sampan/host", "iperf3", "-s");
  await box.ok("run", "-d", "--name", "client", "--network", "speed", "sampan/host", "sleep", "100000");
  const address = await box.ok("inspect", "-f", "{{.NetworkSettings.Networks.speed.IPAddress}}", "server");
  const runner = iperf("sampan, container to container", (argv) => box.ok("exec", "client", ...argv), address);
  await eventually("iperf3 serves", () => runner.rate().catch(() => undefined));
  return runner;
}

interface Bench {
  readonly directory: string;
  readonly http: string;
  readonly archive: Buffer;
}

await using closing = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), "sampan-bench-"));
closing.defer(() => removeTree(directory));
const http = await compile("http", directory);
const layer = await tar([{ name: "http", mode: 0o755, body: readFileSync(http) }]);
const archive = await dockerArchive({ layers: [layer], config: {} }, [image]);
const { box, namespace: machine } = await startMachine(closing, archive);
const { runners: asking, missing } = await httpRunners(box, machine, { directory, http, archive }, closing);
for (const why of missing) process.stdout.write(`missing: ${why}\n`);
const requests = await compete(asking);
process.stdout.write(`${table("HTTP on a published port of 127.0.0.1", "requests/s", requests)}\n\n`);
const runners = [
  await byHand(directory, false, closing),
  await byHand(directory, true, closing),
  await betweenContainers(box),
];
const bytes = await compete(runners);
process.stdout.write(`${table("iperf3, one TCP stream", "Mbit/s", bytes)}\n`);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ requests, bytes }, null, 2));
