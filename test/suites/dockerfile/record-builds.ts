/**
 * Has Docker's builder build every Dockerfile of builds.ts, and writes what comes of it to builds.golden.json beside this
 * file. The command is that of the arguments: `tools/node test/suites/dockerfile/record-builds.ts docker`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, dockerArchive } from "../../support/images.ts";
import { runProgram } from "../../support/process.ts";
import { builds, contextOf } from "./builds.ts";
import { type Picture, picture } from "./picture.ts";

const [program = "docker", ...words] = process.argv.slice(2);

async function docker(args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  const options = input === undefined ? {} : { input };
  const { status, bytes, stderr } = await runProgram(program, [...words, ...args], options);
  if (status !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
  return bytes;
}

await docker(["load"], await dockerArchive(await busybox(), ["busybox:latest"]));
const golden: Record<string, Picture> = {};
for (const build of await builds()) {
  const name = build.keep ?? "recorded";
  const args = ["buildx", "build", "--provenance=false", "--no-cache", "-t", name, ...(build.args ?? []), "-"];
  await docker(args, await contextOf(build));
  golden[build.name] = picture(await docker(["save", name]));
}
writeFileSync(join(import.meta.dirname, "builds.golden.json"), `${JSON.stringify(golden, null, 2)}\n`);
