/**
 * How long one more process in a running container takes, from asking for it to its exit status: Sampan, docker and podman
 * over the API against the limit (a C program that does the same kernel work). See bench/README.md.
 *
 *   tools/node bench/exec.ts [--rounds N] [--json FILE]
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { removeTree } from "../test/support/sandbox.ts";
import { apiExec, startIdle } from "./support/api.ts";
import { loadAll, others, ours } from "./support/engines.ts";
import { limitOfExec, theLimit } from "./support/limit.ts";
import { startMachine } from "./support/machine.ts";
import { type Contestant, race } from "./support/measure.ts";
import { report } from "./support/report.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "60" }, json: { type: "string" } } });
const image = "bench:latest";

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "sampan-bench-"));
  closing.defer(() => removeTree(directory));
  const archive = await dockerArchive(await busybox(), [image]);
  const { box } = await startMachine(closing, archive);
  const sampan = ours(box, closing);
  const { id, pid } = await startIdle(sampan.api, image);
  const contestants: Contestant[] = [await limitOfExec(directory, pid), apiExec("sampan API", sampan.api, id)];
  const { engines, missing } = await others(closing, "bench-exec");
  await loadAll(engines, archive);
  for (const { name, api, imageName } of engines) {
    contestants.push(apiExec(`${name} API`, api, (await startIdle(api, imageName(image))).id));
  }
  for (const contestant of contestants) closing.defer(async () => await contestant.close?.());
  const result = await race(contestants, Number(values.rounds));
  const section = { title: "exec of true", race: result, base: theLimit };
  await report({ engines: [sampan, ...engines], missing }, [section], values.json);
}

await main();
