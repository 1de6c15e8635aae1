/**
 * How long a build takes of which everything is cached: ten steps over a context of a thousand files, and the same steps when
 * only the last one is new. Sampan and docker's classic builder over the API. See bench/README.md.
 *
 *   tools/node bench/build.ts [--rounds N] [--json FILE]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { busybox, dockerArchive, type Entry, tar } from "../test/support/images.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { type Contestant, race, table } from "./support/measure.ts";
import { hasPeers, startPeer } from "./support/peers.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "10" }, json: { type: "string" } } });

/** Ten steps; `last` is what the last one depends on. */
const dockerfile = (last: string) =>
  [
    "FROM busybox",
    "ENV A=b",
    "WORKDIR /app",
    "RUN echo one > one",
    "COPY files ./files",
    "RUN echo two > two && ls files | wc -l > count",
    "COPY files/f1 /f1",
    "RUN echo three > three",
    "LABEL bench=yes",
    `RUN echo ${last} > last`,
  ].join("\n");

async function context(last: string): Promise<Buffer> {
  const files = Array.from(
    { length: 1000 },
    (_, i): Entry => ({ name: `files/f${i}`, body: `file ${i}\n`.repeat(100) }),
  );
  return await tar([{ name: "Dockerfile", body: dockerfile(last) }, ...files]);
}

async function build(api: Api, body: Uint8Array): Promise<void> {
  const last = (await api.send("POST", "/build?t=bench&rm=1&version=1", body, "application/x-tar")) as {
    error?: string;
  };
  if (last.error !== undefined) throw new Error(last.error);
}

async function contestants(name: string, api: Api): Promise<Contestant[]> {
  const same = await context("same");
  let round = 0;
  return [
    { name: `${name}, all cached`, once: async () => void (await build(api, same)) },
    {
      name: `${name}, last RUN new`,
      once: async () => {
        const body = await context(`${Date.now()}-${round++}`);
        const start = performance.now();
        await build(api, body);
        return performance.now() - start;
      },
    },
  ];
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const image = await busybox();
  await box.load(image, "busybox:latest");
  const api = new Api(box.layout.apiSocket);
  closing.defer(() => api.close());
  const all = await contestants("sampan", api);
  if (hasPeers()) {
    const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
    const peer = await startPeer("bench-build-docker", dockerd, "docker.sock");
    closing.defer(() => peer.close());
    await peer.api.send("POST", "/images/load", await dockerArchive(image, ["busybox:latest"]), "application/x-tar");
    all.push(...(await contestants("docker", peer.api)));
  }
  const result = await race(all, Number(values.rounds));
  process.stdout.write(`${table("10 steps, 1,000 files", result.rows, "docker, all cached")}\n`);
  for (const why of result.out) process.stdout.write(`left out: ${why}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(result, null, 2));
}

await main();
