/**
 * How long a push to an empty registry on loopback takes: Sampan, docker, podman, and skopeo, which copies an OCI layout, against
 * curl, which sends the compressed layers that lie there. Two images: five layers of 118 MB, and one of 37,000 small files. See
 * bench/README.md.
 *
 *   tools/node bench/push.ts [--rounds N] [--only big|small] [--part 0.01] [--json FILE]
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { startRegistry } from "../test/support/registry.ts";
import {
  type Distribution,
  pull,
  shell,
  startDistribution,
  type Traveller,
  travellers,
} from "./support/distribution.ts";
import { type Engine, loadAll } from "./support/engines.ts";
import { type Contestant, race } from "./support/measure.ts";
import { report, type Section } from "./support/report.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    part: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const base = "curl of the compressed layers";
const auth = { "X-Registry-Auth": Buffer.from("{}").toString("base64") };

/** Pushes to a registry that has nothing and that nobody knows, started and ended while the clock stands. */
function onto({ directory, network }: Distribution, name: string, push: (host: string) => Promise<void>): Contestant {
  let round = 0;
  return {
    name,
    once: async () => {
      const files = join(directory, `${name.replaceAll(/\W+/g, "-")}-${round++}`);
      const registry = await startRegistry(files, "", undefined, network);
      try {
        const start = performance.now();
        await push(registry.host);
        return performance.now() - start;
      } finally {
        await registry.close();
        rmSync(files, { recursive: true });
      }
    },
  };
}

/** tlsVerify is podman's. */
async function pushBy({ api }: Engine, host: string, image: string): Promise<void> {
  await api.call("POST", `/images/${encodeURIComponent(image)}/tag?repo=${encodeURIComponent(`${host}/image`)}&tag=1`);
  const path = `/images/${host}/image/push?tag=1&tlsVerify=false`;
  const last = (await api.call("POST", path, undefined, auth)) as { error?: string };
  if (last.error !== undefined) throw new Error(last.error);
  await api.call("DELETE", `/images/${host}/image:1`);
}

/** A session of uploading for each layer, as the distribution specification has it. */
const uploads = `url=http://$1/v2/image/blobs/uploads/; shift
while [ $# -gt 0 ]; do
  session=$(curl -sSf -X POST -D - -o /dev/null "$url" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
  curl -sSf -X PUT -H 'Content-Type: application/octet-stream' -T "$2" "$session&digest=$1"
  shift 2
done`;

/** Everybody has it from the same docker-archive, whose layers are not compressed; Sampan also as pulled, compressed. */
async function contestants(all: Distribution, traveller: Traveller): Promise<Contestant[]> {
  const { engines, registry, tools } = all;
  const { name, layout, image, blobs } = traveller;
  const loaded = `${name}:1`;
  await loadAll(engines, await dockerArchive(image, [loaded]));
  await registry.push(layout, `${name}:pulled`);
  const pulled = `${registry.host}/${name}:pulled`;
  const own = engines.slice(0, 1);
  for (const engine of own) await pull(engine, pulled);
  const files = blobs.flatMap(({ digest, path }) => [digest, path]);
  const enter = all.network?.enter ?? [];
  const found = [
    onto(all, base, (host) => shell(enter, uploads, host, ...files)),
    ...own.map((engine) => onto(all, `${engine.name} push, pulled image`, (host) => pushBy(engine, host, pulled))),
    ...engines.map((engine) =>
      onto(all, `${engine.name} push, loaded image`, (host) => pushBy(engine, host, engine.imageName(loaded))),
    ),
  ];
  if (tools.missing.length > 0) return found;
  if (tools.directory !== all.directory) await succeed("cp", ["-a", layout, join(tools.directory, name)]);
  const source = tools.directory === all.directory ? layout : join(tools.inside, name);
  const script = 'skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$1" "docker://$2/image:1"';
  const copy = (host: string) => shell(tools.beside([]), script, source, host);
  return [...found, onto(all, "skopeo copy, compressed layout", copy)];
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const all = await startDistribution(closing, "bench-push");
  const sections: Section[] = [];
  for await (const traveller of travellers(all.directory, Number(values.part))) {
    if (values.only !== undefined && values.only !== traveller.name) continue;
    const result = await race(await contestants(all, traveller), Number(values.rounds));
    sections.push({ title: traveller.title, race: result, base });
  }
  await report(all, sections, values.json);
}

await main();
