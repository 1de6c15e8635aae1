/**
 * How long a push to an empty registry on loopback takes: Sampan, docker and skopeo, which copies an OCI layout. An image of
 * five layers, 118 MB. See bench/README.md.
 *
 *   tools/node bench/push.ts [--rounds N] [--json FILE]
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dockerArchive, type Entry, type TestImage, tar, writeOciLayout } from "../test/support/images.ts";
import { eventually, runProgram, succeed } from "../test/support/process.ts";
import { startRegistry } from "../test/support/registry.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { content } from "./support/content.ts";
import { type Contestant, race, table } from "./support/measure.ts";
import { hasPeers, type Peer, startPeer } from "./support/peers.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, json: { type: "string" } } });
const layers = [60, 30, 16, 8, 4];

async function fiveLayers(): Promise<TestImage> {
  const layer = (megabytes: number, n: number) =>
    tar(Array.from({ length: 4 }, (_, i): Entry => ({ name: `l${n}/${i}`, body: content((megabytes * 1e6) / 4) })));
  return { layers: await Promise.all(layers.map(layer)), config: {} };
}

/** Pushes to a registry that has nothing, started and ended while the clock stands. */
function onto(box: Sandbox, name: string, push: (host: string) => Promise<void>): Contestant {
  let round = 0;
  return {
    name,
    once: async () => {
      const directory = join(box.directory, `registry-${name.replaceAll(/\W/g, "")}-${round++}`);
      const registry = await startRegistry(directory);
      try {
        const start = performance.now();
        await push(registry.host);
        return performance.now() - start;
      } finally {
        await registry.close();
        rmSync(directory, { recursive: true });
      }
    },
  };
}

const auth = { "X-Registry-Auth": Buffer.from("{}").toString("base64url") };

async function pushBy(api: Api, host: string, image: string): Promise<void> {
  await api.call("POST", `/images/${encodeURIComponent(image)}/tag?repo=${encodeURIComponent(`${host}/image`)}&tag=1`);
  const last = (await api.call("POST", `/images/${host}/image/push?tag=1`, undefined, auth)) as { error?: string };
  if (last.error !== undefined) throw new Error(last.error);
  await api.call("DELETE", `/images/${host}/image:1`);
}

/** The registry runs beside the daemon, in its network. */
function docker(peer: Peer): Contestant {
  const port = 5000;
  const host = `127.0.0.1:${port}`;
  return {
    name: "docker push",
    once: async () => {
      const directory = join(peer.directory, "registry");
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory);
      writeFileSync(
        join(directory, "config.yml"),
        `version: 0.1\nlog: { level: warn, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: /engine/registry } }\nhttp: { addr: ${host} }\n`,
      );
      const [program = "", ...args] = peer.inside([
        "timeout",
        "120",
        "docker-registry",
        "serve",
        "/engine/registry/config.yml",
      ]);
      const ended = runProgram(program, args, { timeout: 180_000 }).catch(() => undefined);
      const [shell = "", ...probe] = peer.inside(["sh", "-c", `pidof docker-registry && ss -ltn | grep -q :${port}`]);
      await eventually("the registry listens", async () => (await runProgram(shell, probe)).status === 0, 20_000);
      try {
        const start = performance.now();
        await pushBy(peer.api, host, "image:1");
        return performance.now() - start;
      } finally {
        const [kill = "", ...how] = peer.inside(["sh", "-c", "kill $(pidof docker-registry)"]);
        await runProgram(kill, how);
        await ended;
      }
    },
  };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const api = new Api(box.layout.apiSocket);
  closing.defer(() => api.close());
  const image = await fiveLayers();
  const layout = join(box.directory, "layout");
  writeOciLayout(layout, image);
  const archive = await dockerArchive(image, ["image:1"]);
  await box.run(["load"], { input: archive });
  const source = await startRegistry(join(box.directory, "source"));
  closing.defer(() => source.close());
  await source.push(layout, "image:1");
  await box.ok("pull", "-q", `${source.host}/image:1`);
  await box.ok("tag", `${source.host}/image:1`, "pulled:1");
  const contestants = [
    onto(box, "sampan push, pulled image", (host) => pushBy(api, host, "pulled:1")),
    onto(box, "sampan push, loaded image", (host) => pushBy(api, host, "image:1")),
    onto(box, "skopeo copy, compressed layout", async (host) => {
      const copy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"];
      await succeed("skopeo", [...copy, `oci:${layout}`, `docker://${host}/image:1`]);
    }),
  ];
  if (hasPeers()) {
    const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
    const peer = await startPeer("bench-push-docker", dockerd, "docker.sock");
    closing.defer(() => peer.close());
    await peer.api.send("POST", "/images/load", archive, "application/x-tar");
    contestants.push(docker(peer));
  }
  const result = await race(contestants, Number(values.rounds));
  process.stdout.write(`${table("5 layers, 118 MB", result.rows, "docker push")}\n`);
  for (const why of result.out) process.stdout.write(`left out: ${why}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(result, null, 2));
}

await main();
