/**
 * How long a build of ten steps takes that copies many files: from nothing, with everything cached, and after one file has
 * changed. By command line Sampan, docker with BuildKit, podman and buildah against the same work by hand; over the API Sampan
 * and docker's classic builder. See bench/README.md.
 *
 *   tools/node bench/build.ts [--rounds N] [--files N] [--only nothing|cached|changed|api]… [--json FILE]
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive, tar } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import type { Api } from "./support/api.ts";
import { type Builder, builders, byHand, changed, cold, dockerfile, script, writeContext } from "./support/builds.ts";
import { compile } from "./support/clock.ts";
import { type Engine, loadAll, others, ours, tools } from "./support/engines.ts";
import { type Contestant, type Race, race } from "./support/measure.ts";
import { report, type Section } from "./support/report.ts";
import { manyFiles, said } from "./support/trees.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    files: { type: "string", default: "10000" },
    only: { type: "string", multiple: true, default: ["nothing", "cached", "changed", "api"] },
    json: { type: "string" },
  },
});

async function build(api: Api, body: Uint8Array): Promise<void> {
  const path = "/build?t=bench&rm=1&version=1&networkmode=none";
  const last = (await api.send("POST", path, body, "application/x-tar")) as { error?: string };
  if (last.error !== undefined) throw new Error(last.error);
}

/** Over the API the whole context comes as an archive, every time: a thousand files. */
async function byApi({ name, api }: Engine): Promise<Contestant[]> {
  const files = manyFiles("files", 1000, () => 1000);
  const context = (last: string) => tar([{ name: "Dockerfile", body: dockerfile(last) }, ...files]);
  const same = await context("same");
  let round = 0;
  const renewed = async () => {
    const body = await context(`${Date.now()}-${round++}`);
    const start = performance.now();
    await build(api, body);
    return performance.now() - start;
  };
  return [
    { name: `${name}, all cached`, once: async () => void (await build(api, same)) },
    { name: `${name}, last RUN new`, once: renewed },
  ];
}

/** A race of processes, which end with it. */
async function compete(contestants: readonly Contestant[]): Promise<Race> {
  const result = await race(contestants, Number(values.rounds));
  for (const { close } of contestants) await close?.();
  return result;
}

async function byCommand(all: readonly Builder[], directory: string, context: string): Promise<Section[]> {
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs);
  await succeed("tar", ["-x", "-C", rootfs], { input: (await busybox()).layers[0] ?? "" });
  const work = join(directory, "by-hand");
  const hand = script("by hand", byHand, [context, rootfs, work], work);
  const looking = script("find, every file looked at", 'find "$1" -printf "%s %T@\\n" >/dev/null', [context], work);
  const of = `10 steps, ${said(Number(values.files))} files`;
  const section = async (title: string, base: Contestant, of: readonly Contestant[]) => {
    return { title, race: await compete([base, ...of]), base: base.name };
  };
  const sections: Section[] = [];
  if (values.only.includes("nothing")) sections.push(await section(`from nothing: ${of}`, hand, all.map(cold)));
  const again = all.map((builder) => builder.build([]));
  if (values.only.includes("cached")) sections.push(await section(`all cached: ${of}`, looking, again));
  if (values.only.includes("changed")) sections.push(await section(`one file changed: ${of}`, hand, all.map(changed)));
  return sections;
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const box = new Sandbox();
  closing.defer(() => box.close());
  await box.start();
  const { engines: beside, missing, world } = await others(closing, "bench-build");
  const engines = [ours(box, closing), ...beside];
  await loadAll(engines, await dockerArchive(await busybox(), ["busybox:latest"]));
  const context = join(box.directory, "context");
  writeContext(context, Number(values.files));
  const timer = await compile("timer", box.directory);
  const buildah = tools(["buildah"], world, box.directory);
  const all: Builder[] = [];
  for (const engine of engines) all.push(...(await builders(engine, context, timer, buildah)));
  const sections = await byCommand(all, box.directory, context);
  if (values.only.includes("api")) {
    const classic = await Promise.all(engines.filter(({ name }) => name !== "podman").map(byApi));
    const base = "sampan, all cached";
    sections.push({ title: "POST /build: 10 steps, 1,000 files", race: await compete(classic.flat()), base });
  }
  await report({ engines, missing: [...missing, ...buildah.missing] }, sections, values.json);
}

await main();
