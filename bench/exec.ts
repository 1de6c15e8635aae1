/**
 * How long one more process in a running container takes, from asking for it to its exit status: Sampan and docker over the
 * API against the limit (a C program that does the same kernel work). See bench/README.md.
 *
 *   tools/node bench/exec.ts [--rounds N] [--json FILE]
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { removeTree } from "../test/support/sandbox.ts";
import { Api, apiExec, startIdle } from "./support/api.ts";
import { limitOfExec, theLimit } from "./support/limit.ts";
import { startMachine } from "./support/machine.ts";
import { race, table } from "./support/measure.ts";
import { hasPeers, startPeer } from "./support/peers.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "60" }, json: { type: "string" } } });
const image = "bench:latest";

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "sampan-bench-"));
  closing.defer(() => removeTree(directory));
  const archive = await dockerArchive(await busybox(), [image]);
  const { box } = await startMachine(closing, archive);
  const api = new Api(box.layout.apiSocket);
  const { id, pid } = await startIdle(api, image);
  const contestants = [await limitOfExec(directory, pid), apiExec("sampan API", api, id)];
  if (hasPeers()) {
    const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
    const peer = await startPeer("bench-exec-docker", dockerd, "docker.sock");
    closing.defer(() => peer.close());
    await peer.api.send("POST", "/images/load", archive, "application/x-tar");
    const idle = await startIdle(peer.api, image);
    closing.defer(async () => void (await peer.api.call("DELETE", `/containers/${idle.id}?force=1`)));
    contestants.push(apiExec("docker API", peer.api, idle.id));
  }
  for (const contestant of contestants) closing.defer(async () => await contestant.close?.());
  const { rows, out } = await race(contestants, Number(values.rounds));
  const left = out.map((why) => `left out: ${why}`);
  process.stdout.write(`${[table("exec of true", rows, theLimit), ...left].join("\n")}\n`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ rows, out }, null, 2));
}

await main();
