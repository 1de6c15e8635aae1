/**
 * How long it takes to load an image from a docker-archive until it can be run, and to save it: Sampan, docker, podman, and
 * skopeo with umoci, against tar. Two images: five layers of 118 MB, and one of 37,000 small files. See bench/README.md.
 *
 *   tools/node bench/archives.ts [--rounds N] [--only big|small] [--part 0.01] [--json FILE]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { drain } from "./support/api.ts";
import {
  type Distribution,
  inNewDirectory,
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

/** The image is removed while the clock stands. */
function loading({ name, api, imageName }: Engine, archive: Uint8Array, image: string): Contestant {
  return {
    name: `${name} load`,
    once: async () => {
      const start = performance.now();
      await api.send("POST", "/images/load", archive, "application/x-tar");
      const time = performance.now() - start;
      await api.call("DELETE", `/images/${imageName(image)}`);
      return time;
    },
  };
}

/** To a client that only counts bytes. */
async function saving(engine: Engine, archive: Uint8Array, image: string): Promise<Contestant> {
  const { name, api, socket, imageName } = engine;
  await api.send("POST", "/images/load", archive, "application/x-tar");
  return {
    name: `${name} save`,
    once: async () => {
      const received = await drain(socket, `/images/get?names=${encodeURIComponent(imageName(image))}`);
      if (received < archive.length / 2) throw new Error(`${name}: ${received} bytes of ${archive.length} came back`);
      return undefined;
    },
    close: async () => void (await api.call("DELETE", `/images/${imageName(image)}`)),
  };
}

interface Races {
  readonly load: readonly Contestant[];
  readonly save: readonly Contestant[];
}

/** tar of each layer out of the archive, and of the unpacked layers into a pipe. */
async function bare(all: Distribution, { name, image }: Traveller, archive: Uint8Array): Promise<Races> {
  const { directory } = all;
  const file = join(directory, `${name}.tar`);
  writeFileSync(file, archive);
  const unpack = 'for layer in $(tar -tf "$1" | grep layer.tar); do tar -xOf "$1" "$layer" | tar -xC "$2"; done';
  const layers = join(directory, `unpacked-${name}`);
  mkdirSync(layers);
  for (const layer of image.layers) await succeed("tar", ["-xC", layers], { input: layer });
  return {
    load: [inNewDirectory("tar -x", directory, (made) => shell([], unpack, file, join(directory, made)))],
    save: [{ name: "tar -c", once: () => shell([], 'tar -cC "$1" . | cat >/dev/null', layers).then(() => undefined) }],
  };
}

async function byTools({ tools }: Distribution, { name, layout }: Traveller, archive: Uint8Array): Promise<Races> {
  if (tools.missing.length > 0) return { load: [], save: [] };
  writeFileSync(join(tools.directory, `${name}-archive.tar`), archive);
  const source = `${name}-layout`;
  await succeed("cp", ["-a", layout, join(tools.directory, source)]);
  const load = `skopeo copy -q --insecure-policy "docker-archive:$1" "oci:$2/layout:1"
umoci unpack --image "$2/layout:1" "$2/bundle"`;
  const save = 'skopeo copy -q --insecure-policy "oci:$1" docker-archive:/dev/stdout:image:1 | cat >/dev/null';
  const at = (path: string) => join(tools.inside, path);
  const copy = (made: string) => shell(tools.beside([]), load, at(`${name}-archive.tar`), at(made));
  const giving = async () => void (await shell(tools.beside([]), save, at(source)));
  return {
    load: [inNewDirectory("skopeo copy, umoci unpack", tools.directory, copy)],
    save: [{ name: "skopeo copy, compressed layout", once: giving }],
  };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const all = await startDistribution(closing, "bench-archives");
  const sections: Section[] = [];
  const rounds = Number(values.rounds);
  for await (const traveller of travellers(all.directory, Number(values.part))) {
    const { name, title } = traveller;
    if (values.only !== undefined && values.only !== name) continue;
    const archive = await dockerArchive(traveller.image, [`${name}:1`]);
    const [tars, tools] = [await bare(all, traveller, archive), await byTools(all, traveller, archive)];
    const load = [...tars.load, ...all.engines.map((engine) => loading(engine, archive, `${name}:1`)), ...tools.load];
    sections.push({ title: `load: ${title}`, race: await race(load, rounds), base: "tar -x" });
    const save = [...tars.save];
    for (const engine of all.engines) save.push(await saving(engine, archive, `${name}:1`));
    sections.push({ title: `save: ${title}`, race: await race([...save, ...tools.save], rounds), base: "tar -c" });
    for (const { close } of save) await close?.();
  }
  await report(all, sections, values.json);
}

await main();
