/**
 * How long a pull takes from a registry on loopback until the image can be run: Sampan against `curl | tar`, which verifies
 * nothing and keeps no record. Two images: three layers of 64 MB, and one of 37,000 small files. See bench/README.md.
 *
 *   tools/node bench/pull.ts [--rounds N] [--json FILE]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Entry, type TestImage, tar, writeOciLayout } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { type Registry, startRegistry } from "../test/support/registry.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { content } from "./support/content.ts";
import { type Contestant, race, table } from "./support/measure.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, json: { type: "string" } } });

async function bigLayers(): Promise<TestImage> {
  const layer = (name: string) =>
    tar(Array.from({ length: 8 }, (_, i): Entry => ({ name: `${name}/${i}`, body: content(8 << 20) })));
  return { layers: [await layer("a"), await layer("b"), await layer("c")], config: {} };
}

async function smallFiles(): Promise<TestImage> {
  const directories = Array.from({ length: 370 }, (_, i) => `usr/share/d${i}`);
  const pool = content(1 << 20);
  const files = directories.flatMap((directory, d): Entry[] => [
    { name: directory, type: "directory" },
    ...Array.from({ length: 100 }, (_, i) => {
      const start = (d * 100 + i) * 13;
      return {
        name: `${directory}/f${i}`,
        body: pool.subarray(start % 900_000, (start % 900_000) + 200 + (start % 4000)),
      };
    }),
  ]);
  return { layers: [await tar(files)], config: {} };
}

/** `curl | tar` of every layer into a new directory, deleted after the clock has stopped. */
function bare(name: string, box: Sandbox, blobs: readonly string[], glue: string): Contestant {
  const target = join(box.directory, "bare");
  const script = blobs.map((url) => `curl -sSf ${url} | tar -xzC ${target}`).join(` ${glue} `);
  return {
    name,
    once: async () => {
      mkdirSync(target);
      const start = performance.now();
      await succeed("sh", ["-c", `set -e; ${script}; wait`]);
      const time = performance.now() - start;
      await succeed("rm", ["-rf", "--one-file-system", target]);
      return time;
    },
  };
}

function sampan(api: Api, image: string): Contestant {
  return {
    name: "sampan pull",
    once: async () => {
      const start = performance.now();
      const last = (await api.call("POST", `/images/create?fromImage=${encodeURIComponent(image)}`)) as {
        error?: string;
      };
      const time = performance.now() - start;
      if (last.error !== undefined) throw new Error(last.error);
      await api.call("DELETE", `/images/${image}`);
      return time;
    },
  };
}

async function contestants(
  box: Sandbox,
  registry: Registry,
  api: Api,
  name: string,
  image: TestImage,
): Promise<Contestant[]> {
  const layout = join(box.directory, `layout-${name}`);
  const digest = writeOciLayout(layout, image);
  await registry.push(layout, name);
  const manifest = readFileSync(join(layout, "blobs/sha256", digest.slice("sha256:".length)), "utf8");
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] };
  const blobs = layers.map((layer) => `http://${registry.host}/v2/${name}/blobs/${layer.digest}`);
  return [
    bare("curl to tar, layer by layer", box, blobs, ";"),
    ...(blobs.length > 1 ? [bare("curl to tar, all at once", box, blobs, "&")] : []),
    sampan(api, `${registry.host}/${name}:latest`),
  ];
}

const box = new Sandbox();
await using closing = new AsyncDisposableStack();
closing.defer(() => box.close());
await box.start();
const registry = await startRegistry(join(box.directory, "registry"));
closing.defer(() => registry.close());
const api = new Api(box.layout.apiSocket);
closing.defer(() => api.close());
const results: Record<string, unknown> = {};
for (const [name, title, image] of [
  ["big", "3 layers, 192 MB", await bigLayers()],
  ["small", "37,000 small files", await smallFiles()],
] as const) {
  const result = await race(await contestants(box, registry, api, name, image), Number(values.rounds));
  process.stdout.write(`${table(title, result.rows, "curl to tar, layer by layer")}\n\n`);
  for (const why of result.out) process.stdout.write(`left out: ${why}\n`);
  results[name] = result;
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, null, 2));
