/**
 * Output: lines that a container writes until it has ended, against the same program into a bare pipe and a file; the same
 * lines read back over the API, against reading the file. See bench/README.md.
 *
 *   tools/node bench/logs.ts [--megabytes N] [--rounds N] [--json FILE]
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { drain } from "./support/api.ts";
import { type Engine, loadAll, others, ours } from "./support/engines.ts";
import { type Contestant, race } from "./support/measure.ts";
import { report } from "./support/report.ts";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "200" },
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
  },
});
const image = "lines:latest";
const size = Number(values.megabytes) * 1_000_000;

/** Lines of 100 bytes, numbered. */
function lines(): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, number = 0; at < size; at += 100, number++) {
    bytes.write(`line ${String(number).padStart(10, "0")} ${"x".repeat(83)}\n`, at, "latin1");
  }
  return bytes;
}

/** Where the engine sees the file of lines, which is put there. */
const source = ({ inside }: Engine): string => join(inside, "lines");

async function create(engine: Engine, options: Readonly<Record<string, string>>): Promise<string> {
  const LogConfig = { Type: "json-file", Config: options };
  const HostConfig = { NetworkMode: "none", Binds: [`${source(engine)}:/lines:ro`], LogConfig };
  const config = { Image: engine.imageName(image), Cmd: ["cat", "/lines"], HostConfig };
  const { Id } = (await engine.api.call("POST", "/containers/create", config)) as { Id: string };
  return Id;
}

async function run({ api }: Engine, id: string): Promise<void> {
  const exited = api.call("POST", `/containers/${id}/wait?condition=next-exit`);
  exited.catch(() => {}); // a start that fails says why
  await api.call("POST", `/containers/${id}/start`);
  await exited;
}

/** Create, start, wait, remove; what counts is from the start to the end. */
function writing(name: string, engine: Engine, options: Readonly<Record<string, string>>): Contestant {
  return {
    name,
    once: async () => {
      const id = await create(engine, options);
      const begin = performance.now();
      await run(engine, id);
      const took = performance.now() - begin;
      await engine.api.call("DELETE", `/containers/${id}`);
      return took;
    },
  };
}

async function reading(name: string, engine: Engine, query: string): Promise<Contestant> {
  const id = await create(engine, engine.unlimited);
  await run(engine, id);
  return {
    name,
    once: async () => {
      const begin = performance.now();
      const received = await drain(engine.socket, `/containers/${id}/logs?stdout=1&stderr=1${query}`);
      if (received < (query === "" ? size : 1)) throw new Error(`${received} bytes of ${size} came back`);
      return performance.now() - begin;
    },
    close: async () => void (await engine.api.call("DELETE", `/containers/${id}`)),
  };
}

/** The same in the shell. */
function shell(name: string, command: string): Contestant {
  return { name, once: async () => void (await succeed("sh", ["-c", command])) };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const sampan = ours(box, closing);
  const { engines: beside, missing } = await others(closing, "bench-logs");
  const engines = [sampan, ...beside];
  await loadAll(engines, await dockerArchive(await busybox(), [image]));
  const content = lines();
  for (const { directory } of engines) writeFileSync(join(directory, "lines"), content);
  const written = await race(
    [
      shell("pipe to file", `busybox cat ${source(sampan)} | cat >${join(box.directory, "out")}`),
      writing("sampan, 5 × 10 MB", sampan, {}),
      ...engines.map((engine) => writing(`${engine.name}, one file`, engine, engine.unlimited)),
    ],
    Number(values.rounds),
  );
  const contestants = [
    shell("read the file", `cat ${source(sampan)} >/dev/null`),
    await reading("sampan, timestamps", sampan, "&timestamps=1"),
    await reading("sampan, tail 10", sampan, "&tail=10"),
    await reading("sampan, since a minute ahead", sampan, `&since=${Math.floor(Date.now() / 1000) + 3600}`),
  ];
  for (const engine of engines) contestants.push(await reading(engine.name, engine, ""));
  const read = await race(contestants, Number(values.rounds));
  for (const contestant of contestants) await contestant.close?.();
  const head = `${values.megabytes} MB of lines of 100 bytes`;
  const sections = [
    { title: `written, ${head}`, race: written, base: "pipe to file" },
    { title: `read over the API, ${head}`, race: read, base: "read the file" },
  ];
  await report({ engines, missing }, sections, values.json);
}

await main();
