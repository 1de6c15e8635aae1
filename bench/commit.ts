/**
 * How long a commit takes of a container with changes of 200 MB: four files, and 20,000. Sampan, docker and podman over the
 * API against tar and sha256sum of the changes. See bench/README.md.
 *
 *   tools/node bench/commit.ts [--rounds N] [--only big|small] [--part 0.01] [--json FILE]
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive, tar } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
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
const base = "tar and sha256sum";

/** A container with these changes, committed; the image is removed, and all is brought to the disk, while the clock stands. */
async function commit({ name, api, imageName }: Engine, archive: Uint8Array): Promise<Contestant> {
  const config = { Image: imageName("busybox") };
  const { Id: container } = (await api.call("POST", "/containers/create", config)) as { Id: string };
  await api.send("PUT", `/containers/${container}/archive?path=/`, archive, "application/x-tar");
  return {
    name: `${name} commit`,
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

/** What a commit without any store has to do: an archive of the changes, its digest, and the layer that it becomes. */
async function byHand(directory: string, archive: Uint8Array): Promise<Contestant> {
  mkdirSync(directory);
  await succeed("tar", ["-xC", directory], { input: archive });
  const script = `set -e; cd "$1"; tar -cC "$2" . >layer.tar; sha256sum layer.tar >digest; mkdir layer; tar -xC layer -f layer.tar`;
  const made = `${directory}-made`;
  return {
    name: base,
    once: async () => {
      mkdirSync(made);
      await succeed("sync", []);
      const start = performance.now();
      await succeed("sh", ["-c", script, "sh", made, directory]);
      const time = performance.now() - start;
      await succeed("rm", ["-rf", "--one-file-system", made]);
      return time;
    },
  };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const { engines: beside, missing } = await others(closing, "bench-commit");
  const engines = [ours(box, closing), ...beside];
  await loadAll(engines, await dockerArchive(await busybox(), ["busybox:latest"]));
  const sections: Section[] = [];
  const part = Number(values.part);
  for (const [name, { title, files }] of Object.entries(changes)) {
    if (values.only !== undefined && values.only !== name) continue;
    const archive = await tar(files(part));
    const contestants = [await byHand(join(box.directory, name), archive)];
    for (const engine of engines) contestants.push(await commit(engine, archive));
    sections.push({ title: title(part), race: await race(contestants, Number(values.rounds)), base });
    for (const { close } of contestants) await close?.();
  }
  await report({ engines, missing }, sections, values.json);
}

await main();
