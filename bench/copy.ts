/**
 * How long files take into a container and out of it, as `cp` of the command line does it: an archive of 200 MB in four files,
 * and in 20,000. Sampan, docker and podman over the API against tar. See bench/README.md.
 *
 *   tools/node bench/copy.ts [--rounds N] [--only big|small] [--part 0.01] [--json FILE]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive, tar } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { drain } from "./support/api.ts";
import { type Engine, loadAll, others, ours } from "./support/engines.ts";
import { type Contestant, race } from "./support/measure.ts";
import { report, type Section } from "./support/report.ts";
import { changes } from "./support/trees.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    part: { type: "string", default: "1" },
    json: { type: "string" },
  },
});

/** Into a new container each time, which is removed while the clock stands. */
function into({ name, api, imageName }: Engine, archive: Uint8Array): Contestant {
  return {
    name,
    once: async () => {
      const config = { Image: imageName("busybox") };
      const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
      const start = performance.now();
      await api.send("PUT", `/containers/${Id}/archive?path=/`, archive, "application/x-tar");
      const time = performance.now() - start;
      await api.call("DELETE", `/containers/${Id}`);
      return time;
    },
  };
}

async function outOf({ name, api, socket, imageName }: Engine, archive: Uint8Array, path: string): Promise<Contestant> {
  const config = { Image: imageName("busybox") };
  const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
  await api.send("PUT", `/containers/${Id}/archive?path=/`, archive, "application/x-tar");
  return {
    name,
    once: async () => {
      const received = await drain(socket, `/containers/${Id}/archive?path=/${path}`);
      if (received < archive.length / 2) throw new Error(`${name}: ${received} bytes of ${archive.length} came back`);
      return undefined;
    },
    close: async () => void (await api.call("DELETE", `/containers/${Id}`)),
  };
}

/** tar, from a file into a new directory, and out of a directory into a pipe. */
async function bare(directory: string, archive: Uint8Array): Promise<{ readonly into: Contestant; outOf: Contestant }> {
  const [file, source, target] = [`${directory}.tar`, `${directory}-source`, `${directory}-target`];
  writeFileSync(file, archive);
  mkdirSync(source);
  await succeed("tar", ["-xC", source, "-f", file]);
  const unpack = async () => {
    mkdirSync(target);
    const start = performance.now();
    await succeed("tar", ["-xC", target, "-f", file]);
    const time = performance.now() - start;
    await succeed("rm", ["-rf", "--one-file-system", target]);
    return time;
  };
  const pack = async () => void (await succeed("sh", ["-c", 'tar -cC "$1" . | cat >/dev/null', "sh", source]));
  return { into: { name: "tar -x", once: unpack }, outOf: { name: "tar -c", once: pack } };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const { engines: beside, missing } = await others(closing, "bench-copy");
  const engines = [ours(box, closing), ...beside];
  await loadAll(engines, await dockerArchive(await busybox(), ["busybox:latest"]));
  const sections: Section[] = [];
  const [rounds, part] = [Number(values.rounds), Number(values.part)];
  for (const [name, { title, files }] of Object.entries(changes)) {
    if (values.only !== undefined && values.only !== name) continue;
    const archive = await tar(files(part));
    const tars = await bare(join(box.directory, name), archive);
    const taking = [tars.into, ...engines.map((engine) => into(engine, archive))];
    sections.push({ title: `into a container: ${title(part)}`, race: await race(taking, rounds), base: "tar -x" });
    const giving = [tars.outOf];
    for (const engine of engines) giving.push(await outOf(engine, archive, name));
    sections.push({ title: `out of a container: ${title(part)}`, race: await race(giving, rounds), base: "tar -c" });
    for (const { close } of giving) await close?.();
  }
  await report({ engines, missing }, sections, values.json);
}

await main();
