/**
 * How long the questions take that everybody asks all day: ps, inspect, images and stats, beside a hundred running containers
 * and one whose monitor hangs. Sampan, docker and podman over the API against an answer that stands ready. See bench/README.md.
 *
 *   tools/node bench/questions.ts [--containers N] [--rounds N] [--json FILE]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { ask, startIdle } from "./support/api.ts";
import { type Engine, loadAll, others, ours } from "./support/engines.ts";
import { type Contestant, race } from "./support/measure.ts";
import { report, type Section } from "./support/report.ts";

const { values } = parseArgs({
  options: {
    containers: { type: "string", default: "100" },
    rounds: { type: "string", default: "40" },
    json: { type: "string" },
  },
});
const image = "bench:latest";
const ready = "an answer that stands ready";
/** Milliseconds until nobody waits any longer. */
const patience = 5000;

interface Asked {
  readonly engine: Engine;
  readonly running: string;
  readonly stuck: string;
}

/** Starts the containers, and stops the process that watches over the last one: our monitor, containerd's shim, conmon. */
async function crowd(engine: Engine, closing: AsyncDisposableStack): Promise<Asked> {
  const { api, imageName } = engine;
  const ids: string[] = [];
  for (let i = 0; i < Number(values.containers); i++) ids.push((await startIdle(api, imageName(image))).id);
  const { id: stuck, pid } = await startIdle(api, imageName(image));
  const signal = async (name: string) => {
    const script = `kill -${name} "$(sed -n 's/^PPid:[[:space:]]*//p' /proc/${pid}/status)"`;
    const [file = "", ...args] = engine.beside(["sh", "-c", script]);
    await succeed(file, args);
  };
  await signal("STOP");
  closing.defer(() => signal("CONT"));
  return { engine, running: ids[0] ?? stuck, stuck };
}

const questions: readonly [what: string, path: (asked: Asked) => string][] = [
  ["ps", () => "/containers/json"],
  ["inspect", ({ running }) => `/containers/${running}/json`],
  ["inspect of the stuck one", ({ stuck }) => `/containers/${stuck}/json`],
  ["images", () => "/images/json"],
  ["stats", ({ running }) => `/containers/${running}/stats?stream=0&one-shot=1`],
  ["stats of the stuck one", ({ stuck }) => `/containers/${stuck}/stats?stream=0&one-shot=1`],
];

/** A server that has nothing to find out, and answers with as much as our daemon's ps. */
async function readyAnswer(sampan: Engine, closing: AsyncDisposableStack): Promise<Contestant> {
  const bytes = JSON.stringify(await sampan.api.call("GET", "/containers/json")).length;
  const socket = join(sampan.directory, "ready.sock");
  const program = join(import.meta.dirname, "support/ready-answer.ts");
  const server = spawn(process.execPath, [program, socket, String(bytes)], { stdio: ["pipe", "pipe", "inherit"] });
  closing.defer(async () => {
    const exit = once(server, "exit");
    server.stdin.end();
    await exit;
  });
  await once(server.stdout, "data");
  return { name: ready, once: async () => void (await ask(socket, "/", patience)) };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const sampan = ours(box, closing);
  const { engines: beside, missing } = await others(closing, "bench-questions");
  const engines = [sampan, ...beside];
  await loadAll(engines, await dockerArchive(await busybox(), [image]));
  const asked = await Promise.all(engines.map((engine) => crowd(engine, closing)));
  const base = await readyAnswer(sampan, closing);
  const sections: Section[] = [];
  for (const [what, path] of questions) {
    const contestants = asked.map((about) => ({
      name: about.engine.name,
      once: async () => void (await ask(about.engine.socket, path(about), patience)),
    }));
    const title = `${what}, ${values.containers} containers and a stuck one`;
    sections.push({ title, race: await race([base, ...contestants], Number(values.rounds)), base: ready });
  }
  await report({ engines, missing }, sections, values.json);
}

await main();
