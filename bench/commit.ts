/**
 * How long a commit takes of a container with changes of 200 MB: four files, and 20,000. Sampan and docker over the API. See
 * bench/README.md.
 *
 *   tools/node bench/commit.ts [--rounds N] [--only big|small] [--json FILE]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { busybox, dockerArchive, type Entry, tar } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { content } from "./support/content.ts";
import { type Contestant, race, table } from "./support/measure.ts";
import { hasPeers, startPeer } from "./support/peers.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string" }, json: { type: "string" } },
});

const bigFiles = (): Entry[] => Array.from({ length: 4 }, (_, i) => ({ name: `big${i}`, body: content(50_000_000) }));

function smallFiles(): Entry[] {
  const pool = content(1 << 20);
  const directories = Array.from({ length: 200 }, (_, d) => `small/d${d}`);
  return directories.flatMap((directory, d): Entry[] => [
    { name: directory, type: "directory" },
    ...Array.from({ length: 100 }, (_, i) => {
      const start = ((d * 100 + i) * 13) % 900_000;
      return { name: `${directory}/f${i}`, body: pool.subarray(start, start + 10_000) };
    }),
  ]);
}

/** A container with these changes, committed; the image is removed, and all is brought to the disk, while the clock stands. */
async function commit(name: string, api: Api, changes: Uint8Array): Promise<Contestant> {
  const { Id: container } = (await api.call("POST", "/containers/create", { Image: "busybox" })) as { Id: string };
  await api.send("PUT", `/containers/${container}/archive?path=/`, changes, "application/x-tar");
  return {
    name,
    once: async () => {
      await succeed("sync", []);
      const start = performance.now();
      const { Id: image } = (await api.call("POST", `/commit?container=${container}&repo=bench`)) as { Id: string };
      const time = performance.now() - start;
      await api.call("DELETE", `/images/${image}?force=1`);
      return time;
    },
    close: async () => void (await api.call("DELETE", `/containers/${container}`)),
  };
}

await using closing = new AsyncDisposableStack();
const box = new Sandbox();
closing.defer(() => box.close());
await box.start();
const archive = await dockerArchive(await busybox(), ["busybox:latest"]);
await box.run(["load"], { input: archive });
const own = new Api(box.layout.apiSocket);
closing.defer(() => own.close());
const engines: [string, Api][] = [["sampan commit", own]];
if (hasPeers()) {
  const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
  const peer = await startPeer("bench-commit-docker", dockerd, "docker.sock");
  closing.defer(() => peer.close());
  await peer.api.send("POST", "/images/load", archive, "application/x-tar");
  engines.push(["docker commit", peer.api]);
}
const results: Record<string, unknown> = {};
for (const [name, title, files] of [
  ["big", "4 files, 200 MB", bigFiles],
  ["small", "20,000 files, 200 MB", smallFiles],
] as const) {
  if (values.only !== undefined && values.only !== name) continue;
  const changes = await tar(files());
  const contestants: Contestant[] = [];
  for (const [who, api] of engines) contestants.push(await commit(who, api, changes));
  const result = await race(contestants, Number(values.rounds));
  process.stdout.write(`${table(title, result.rows, "docker commit")}\n\n`);
  for (const why of result.out) process.stdout.write(`left out: ${why}\n`);
  for (const { close } of contestants) await close?.();
  results[name] = result;
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, null, 2));
