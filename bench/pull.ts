/**
 * How long a pull takes from a registry on loopback until the image can be run: Sampan, docker, podman, and skopeo with umoci,
 * against `curl | tar`, which verifies nothing and keeps no record. Two images: five layers of 118 MB, and one of 37,000 small
 * files. See bench/README.md.
 *
 *   tools/node bench/pull.ts [--rounds N] [--only big|small] [--part 0.01] [--json FILE]
 */
import { parseArgs } from "node:util";
import {
  type Distribution,
  inNewDirectory,
  pull,
  shell,
  startDistribution,
  type Traveller,
  travellers,
} from "./support/distribution.ts";
import type { Engine } from "./support/engines.ts";
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
const base = "curl to tar, layer by layer";

/** `curl | tar` of every layer into a new directory. */
function bare(name: string, { directory, network }: Distribution, urls: readonly string[], glue: string): Contestant {
  const script = urls.map((url) => `curl -sSf ${url} | tar -xzC "$1"`).join(` ${glue} `);
  const enter = network?.enter ?? [];
  return inNewDirectory(name, directory, (made) => shell(enter, `${script}; wait`, `${directory}/${made}`));
}

/** The image is removed while the clock stands. */
function byEngine(engine: Engine, image: string): Contestant {
  return {
    name: `${engine.name} pull`,
    once: async () => {
      const start = performance.now();
      await pull(engine, image);
      const time = performance.now() - start;
      await engine.api.call("DELETE", `/images/${image}`);
      return time;
    },
  };
}

function byTools({ tools }: Distribution, image: string): Contestant {
  const script = `skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$1" "oci:$2/layout:1"
umoci unpack --image "$2/layout:1" "$2/bundle"`;
  return inNewDirectory("skopeo copy, umoci unpack", tools.directory, (made) =>
    shell(tools.beside([]), script, image, `${tools.inside}/${made}`),
  );
}

async function contestants(all: Distribution, { name, layout, blobs }: Traveller): Promise<Contestant[]> {
  const { registry, engines, tools } = all;
  await registry.push(layout, `${name}:latest`);
  const image = `${registry.host}/${name}:latest`;
  const urls = blobs.map(({ digest }) => `http://${registry.host}/v2/${name}/blobs/${digest}`);
  return [
    bare(base, all, urls, ";"),
    ...(urls.length > 1 ? [bare("curl to tar, all at once", all, urls, "&")] : []),
    ...engines.map((engine) => byEngine(engine, image)),
    ...(tools.missing.length === 0 ? [byTools(all, image)] : []),
  ];
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const all = await startDistribution(closing, "bench-pull");
  const sections: Section[] = [];
  for await (const traveller of travellers(all.directory, Number(values.part))) {
    if (values.only !== undefined && values.only !== traveller.name) continue;
    const result = await race(await contestants(all, traveller), Number(values.rounds));
    sections.push({ title: traveller.title, race: result, base });
  }
  await report(all, sections, values.json);
}

await main();
