/**
 * How many questions the resolver of containers answers: a container's name, a name that 20 containers share, and a name
 * that is asked for elsewhere (a server on this machine, in a process of its own). Asked from inside a network namespace.
 *
 *   tools/node bench/dns.ts [--questions N]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDnsServer } from "../src/network/dns/server.ts";
import { openSockets } from "../src/network/dns/sockets.ts";
import { makeExecutor } from "../test/support/executor.ts";
import { Namespace } from "../test/support/namespace.ts";

const { values } = parseArgs({ options: { questions: { type: "string", default: "200000" } } });
const asker = join(import.meta.dirname, "support/dns-asker.ts");
const upstream = join(import.meta.dirname, "support/dns-upstream.ts");
const atOnce = 64;

interface Result {
  readonly perSecond: number;
  /** Microseconds of this process's CPU time per question. */
  readonly cpu: number;
}

async function measure(namespace: Namespace, name: string, count: number): Promise<Result> {
  await namespace.ok(process.execPath, asker, name, "2000", String(atOnce)); // warm
  const before = process.cpuUsage();
  const seconds = Number(await namespace.ok(process.execPath, asker, name, String(count), String(atOnce)));
  const { user, system } = process.cpuUsage(before);
  return { perSecond: count / seconds, cpu: (user + system) / count };
}

await using closing = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), "sampan-"));
closing.defer(() => rmSync(directory, { recursive: true }));
const executor = closing.use(makeExecutor(join(directory, "executor.sock")));
mkdirSync(join(directory, "mount"));
const namespace = await Namespace.make("sampan-bench-dns", join(directory, "mount"));
closing.defer(() => namespace.close());
const server = spawn(process.execPath, [upstream], { stdio: ["pipe", "pipe", "inherit"] });
closing.defer(() => void server.stdin.end());
const [port] = await once(server.stdout, "data");
const resolverFile = join(directory, "resolv.conf");
writeFileSync(resolverFile, "nameserver 127.0.0.1\n");
const dns = createDnsServer({ resolverFile, forwarding: { port: Number(port) } });
closing.defer(() => dns.close());
const network = { networkId: "n", networkName: "backend" };
for (let n = 0; n < 1000; n++) {
  const names = [`web-${n}`, ...(n < 20 ? ["web"] : []), n.toString(16).padStart(12, "0")];
  const ipv4 = `172.18.${n >> 8}.${n & 255}`;
  dns.setEndpoint({ ...network, containerId: `c${n}`, names, ipv4 });
}
dns.serve("c0", await openSockets(executor, namespace.pid), {
  networks: ["n"],
  forward: true,
  servers: [],
  ndotsSet: false,
});

const count = Number(values.questions);
const rows: [what: string, name: string, count: number][] = [
  ["a container's name", "web-7", count],
  ["a name of 20 containers", "web", count],
  ["a name asked for elsewhere", "www.example.org", Math.ceil(count / 10)],
];
for (const [what, name, questions] of rows) {
  const { perSecond, cpu } = await measure(namespace, name, questions);
  const most = Math.round(1e6 / cpu);
  process.stdout.write(
    `${what.padEnd(28)} ${Math.round(perSecond)} answers/s; ${cpu.toFixed(1)} µs of CPU each: ${most}/s on one core\n`,
  );
}
