import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Build, builds, contextOf } from "../suites/dockerfile/builds.ts";
import { type Picture, picture } from "../suites/dockerfile/picture.ts";
import { cProgram, mirrored, nodeImage, type Project, postgres } from "../suites/dockerfile/projects.ts";
import { buildContext, writeFiles } from "../support/builds.ts";
import { busybox, debian, dockerArchive } from "../support/images.ts";
import { debianMirror } from "../support/mirror.ts";
import { DockerPeer } from "../support/peer-docker.ts";
import { isBesidePeers } from "../support/peers.ts";
import { succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

/** What Docker 28.5 with BuildKit made of the same contexts: see test/suites/dockerfile/record-builds.ts. */
const golden = JSON.parse(
  readFileSync(new URL("../suites/dockerfile/builds.golden.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Picture>>;

const box = sandbox({ start: true });

/** Builds it as a user does, from a directory or an archive. */
async function built(build: Build, name: string): Promise<void> {
  const args = ["build", "-t", name, ...(build.args ?? [])];
  const isDirectory = build.project !== undefined;
  const options = isDirectory ? { cwd: buildContext(box, build.project) } : { input: await contextOf(build) };
  const { status, stderr } = await box.run([...args, isDirectory ? "." : "-"], { ...options, timeout: 240_000 });
  assert.equal(status, 0, stderr);
}

suite("images of the same Dockerfiles are Docker's", requires("busybox", "npm", "tar", "ldd"), async () => {
  before(async () => {
    await box.load(await busybox(), "busybox:latest");
    await box.load(await nodeImage(), "node:26");
  });

  for (const build of await builds()) {
    test(build.name, async () => {
      const name = build.keep ?? "built";
      await built(build, name);
      const { bytes } = await box.run(["save", name]);
      assert.deepEqual(picture(bytes, build.bases), golden[build.name]);
    });
  }
});

/** Debian's packages are others next month: only beside a docker can images of them be compared. */
const beside = isBesidePeers ? suite : () => {};

/** What two installations of the same packages do not have in common: logs, times, inodes, a key that is made for the machine. */
const ofTheMoment = /^(?:var\/log|var\/cache\/apt|var\/cache\/ldconfig|etc\/ssl)\//;

function lasting({ files, ...rest }: Picture): Picture {
  return { ...rest, files: Object.fromEntries(Object.entries(files).filter(([path]) => !ofTheMoment.test(path))) };
}

beside("images of Debian's packages are Docker's", requires("debootstrap"), () => {
  let peer: DockerPeer;

  before(async () => {
    peer = await DockerPeer.start(`builds-${process.pid}`);
    const base = await debian();
    await box.load(base, "debian:12");
    await peer.load(await dockerArchive(base, ["debian:12"]));
    await succeed("cp", ["-a", await debianMirror(mirrored), join(peer.world.directory, "mirror")]);
  });
  after(() => peer?.close());

  const projects: readonly (readonly [string, Project])[] = [
    ["a program in C", cProgram],
    ["PostgreSQL", postgres],
  ];
  for (const [index, [name, project]] of projects.entries()) {
    test(name, async () => {
      const directory = join(peer.world.directory, `project-${index}`);
      mkdirSync(directory);
      writeFiles(directory, project);
      const args = ["-t", "project", "."];
      const mirror = await debianMirror(mirrored);
      await peer.build(`/engine/project-${index}`, ["--build-context", "mirror=/engine/mirror", ...args]);
      const { status, stderr } = await box.run(["build", "--build-context", `mirror=${mirror}`, ...args], {
        cwd: directory,
        timeout: 240_000,
      });
      assert.equal(status, 0, stderr);
      const { bytes } = await box.run(["save", "project"]);
      assert.deepEqual(lasting(picture(bytes)), lasting(picture(await peer.save("project"))));
    });
  }
});
