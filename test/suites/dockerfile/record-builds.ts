/**
 * Has the peers' docker build every Dockerfile of builds.ts, and writes what comes of it to builds.golden.json beside this
 * file: `tools/node test/suites/dockerfile/record-builds.ts`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFiles } from "../../support/builds.ts";
import { busybox, dockerArchive } from "../../support/images.ts";
import { DockerPeer } from "../../support/peer-docker.ts";
import { builds, contextOf } from "./builds.ts";
import { type Picture, picture } from "./picture.ts";
import { nodeImage } from "./projects.ts";

const peer = await DockerPeer.start(`record-${process.pid}`);
try {
  await peer.load(await dockerArchive(await busybox(), ["busybox:latest"]));
  await peer.load(await dockerArchive(await nodeImage(), ["node:26"]));
  const golden: Record<string, Picture> = {};
  for (const [index, build] of (await builds()).entries()) {
    const name = build.keep ?? "recorded";
    const context = `context-${index}`;
    const directory = join(peer.world.directory, context);
    mkdirSync(directory);
    writeFiles(directory, build.project ?? {});
    const source = build.project === undefined ? { input: await contextOf(build) } : {};
    const args = ["--provenance=false", "--no-cache", "-t", name, ...(build.args ?? [])];
    await peer.build(`/engine/${context}`, [...args, build.project === undefined ? "-" : "."], source);
    golden[build.name] = picture(await peer.save(name), build.bases);
  }
  writeFileSync(join(import.meta.dirname, "builds.golden.json"), `${JSON.stringify(golden, null, 2)}\n`);
} finally {
  await peer.close();
}
