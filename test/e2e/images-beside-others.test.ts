import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { exportedFiles, type Picture, picture } from "../suites/dockerfile/picture.ts";
import { type Engine, type Maker, makers, Others, type Taker, takers } from "../suites/interop/others.ts";
import { type Shape, shapeOfArchive, shapeOfDirectory } from "../suites/interop/shape.ts";
import { greeting, travellerContext, travellerLayers } from "../suites/interop/traveller.ts";
import { isBesidePeers, isRecording } from "../support/peers.ts";
import { succeed } from "../support/process.ts";
import { freePort, type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

/** What others have made, and what they took of ours: recorded beside the peers with SAMPAN_RECORD=1. */
interface Recorded {
  /** Who did it. */
  readonly versions: Readonly<Record<string, string>>;
  /** What each engine saves of the image that it has built. */
  readonly built: Readonly<Record<string, Picture>>;
  /** By the name of its maker, the file or the repository in which an image came. */
  readonly made: Readonly<Record<string, { readonly file?: string; readonly repository?: string }>>;
  /** What Sampan handed out. */
  readonly handed: Readonly<Record<string, Shape>>;
}

const directory = new URL("../suites/interop/recorded/", import.meta.url).pathname;
const goldenFile = join(directory, "others.golden.json");
const recorded: Recorded = existsSync(goldenFile)
  ? JSON.parse(readFileSync(goldenFile, "utf8"))
  : { versions: {}, built: {}, made: {}, handed: {} };

const box = sandbox({ start: true });
const needs = { ...requires("docker-registry", "skopeo", "umoci", "tar"), ...requiresRoot() };

/** What OCI's configuration has: who makes one of docker's leaves the rest out. */
const settings = ["Cmd", "Entrypoint", "Env", "ExposedPorts", "Labels", "StopSignal", "User", "Volumes", "WorkingDir"];

function onlyOci({ config, ...rest }: Picture): Picture {
  const kept = Object.entries(config.config ?? {}).filter(([name]) => settings.includes(name));
  return { ...rest, config: { os: config.os, config: Object.fromEntries(kept) } };
}

/** The image that came with a name is what its maker saves of it, and runs. */
async function arrived(name: string, { converts }: Maker, theirs: Picture): Promise<void> {
  const { bytes } = await box.run(["save", name]);
  const ours = picture(bytes, 0);
  assert.deepEqual(converts ? onlyOci(ours) : ours, converts ? onlyOci(theirs) : theirs);
  const id = await box.ok("create", "--network", "none", name);
  const { bytes: files } = await box.run(["export", id]);
  await box.ok("rm", "-v", id);
  assert.deepEqual(unpacked(exportedFiles(files)), unpacked(theirs.files));
  if (process.arch === "x64") assert.equal(`${await box.ok("run", "--rm", "--network", "none", name)}\n`, greeting);
  await box.ok("rmi", "-f", name);
}

/** Files as they are in a container: links have no mode, and engines put directories there for what they mount. */
function unpacked(files: Picture["files"]): Picture["files"] {
  const telling = Object.entries(files).filter(([path]) => !/^(?:etc|run|\.dockerenv)(?:\/|$)/.test(path));
  return Object.fromEntries(telling.map(([path, text]) => [path, text.replace(/^symlink \d+/, "symlink")]));
}

/** The name of the image in an archive that was loaded. */
async function loaded(archive: Uint8Array): Promise<string> {
  const { status, stdout, stderr } = await box.run(["load", "-q"], { input: archive });
  assert.equal(status, 0, stderr);
  return /^Loaded image(?: ID)?: (\S+)$/m.exec(stdout)?.[1] ?? "";
}

/** What Sampan hands out of the image that it has built, by what it is. */
interface Handed {
  readonly archive: Buffer;
  /** An OCI layout that a build has written. */
  readonly layout: string;
  readonly content: string;
}

/** Builds of the traveller, and writes down what is handed out. */
async function handOut(): Promise<Handed> {
  await box.load({ layers: await travellerLayers(), config: {} }, "traveller:latest");
  const layout = join(box.directory, "layout");
  const input = await travellerContext();
  const build = ["build", "-q", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "-t", "ours:1"];
  for (const output of [
    "type=image,rewrite-timestamp=true",
    `type=oci,dest=${layout},tar=false,rewrite-timestamp=true`,
  ]) {
    const { status, stderr } = await box.run([...build, "-o", `${output},rewrite-timestamp=true`, "-"], { input });
    assert.equal(status, 0, stderr);
  }
  const { bytes: archive } = await box.run(["save", "ours:1"]);
  return { archive, layout, content: box.layout.content };
}

suite("images and other engines", needs, () => {
  let handed: Handed;

  before(async () => {
    handed = await handOut();
  });

  const replay = isRecording ? () => {} : suite;
  replay("as they were recorded", () => {
    let registry: Registry;

    before(async () => {
      const files = join(box.directory, "registry");
      mkdirSync(files);
      await succeed("tar", ["-C", files, "-xzf", join(directory, "registry.tar.gz")]);
      registry = await startRegistry(files);
    });
    after(() => registry?.close());

    for (const maker of makers) {
      test(`what comes by ${maker.name} is what was made, and runs`, async () => {
        const { file, repository } = recorded.made[maker.name] ?? {};
        const theirs = recorded.built[maker.changes ? maker.name : maker.of];
        assert.ok(theirs, "SAMPAN_RECORD=1 beside the peers records it");
        if (file !== undefined) await arrived(await loaded(readFileSync(join(directory, file))), maker, theirs);
        else {
          const name = `${registry.host}/${repository}`;
          await box.ok("pull", "-q", name);
          await arrived(name, maker, theirs);
        }
      });
    }

    test("what is handed out has the shape that they took", () => {
      const shapes = { archive: shapeOfArchive(handed.archive), layout: shapeOfDirectory(handed.layout) };
      assert.deepEqual(shapes, recorded.handed);
    });
  });

  // Who takes what is ours has to be here.
  const beside = isBesidePeers ? suite : () => {};
  beside("as they are here", () => besideOthers(() => handed));
});

function besideOthers(handed: () => Handed): void {
  let others: Others;
  let registry: Registry;
  const built: Record<string, Picture> = {};
  const made: Record<string, { file?: string; repository?: string }> = {};

  before(async () => {
    const port = await freePort();
    others = await Others.start(port);
    registry = await startRegistry(join(others.world.directory, "registry"), "", port);
    for (const engine of ["docker", "containerd", "podman"] satisfies Engine[])
      built[engine] = picture(await others.save(engine), 0);
  });
  after(async () => {
    await registry?.close();
    await others?.world.close();
  });

  for (const maker of makers) {
    test(`what comes by ${maker.name} is what was made, and runs`, async () => {
      const { file, name, outside, changed } = others.place();
      await others.play(maker.commands({ file, name }));
      if (maker.to === "file") {
        const archive = readFileSync(outside);
        const gzipped = `${Object.keys(made).length}.tar.gz`;
        made[maker.name] = { file: gzipped };
        if (maker.changes) built[maker.name] = picture(readFileSync(changed), 0);
        if (isRecording) writeFileSync(join(directory, gzipped), gzipSync(archive, { level: 9 }));
        await arrived(await loaded(archive), maker, built[maker.changes ? maker.name : maker.of] as Picture);
      } else {
        made[maker.name] = { repository: name.slice(others.host.length + 1) };
        await box.ok("pull", "-q", name);
        await arrived(name, maker, built[maker.of] as Picture);
      }
    });
  }

  for (const taker of takers) {
    test(`${taker.name} takes what is ours`, async () => {
      const { archive } = handed();
      const { file, name, outside } = others.place();
      await hand(taker, handed(), { name, outside });
      const image = (await others.play(taker.commands({ file, name }))).split(/\s/).at(-1) ?? "";
      if (!taker.savesNot) assert.deepEqual(picture(await others.save(taker.by, image), 0), picture(archive, 0));
      assert.deepEqual(
        unpacked(exportedFiles(await others.export(taker.by, image))),
        unpacked(picture(archive, 0).files),
      );
      assert.equal(`${await others.run(taker.by, image)}\n`, greeting);
      await others.remove(taker.by, image);
    });
  }

  test("umoci unpacks what skopeo has copied of a layout", async () => {
    const { outside, file } = others.place();
    cpSync(handed().layout, outside, { recursive: true });
    await others.world.ok("skopeo", "--insecure-policy", "copy", "-q", `oci:${file}`, `oci:${file}.copy:x`);
    await others.world.ok("umoci", "unpack", "--image", `${file}.copy:x`, `${file}.bundle`);
    const pack = [
      "tar",
      "--xattrs",
      "--xattrs-include=*",
      "--format=pax",
      "--numeric-owner",
      "-C",
      `${file}.bundle/rootfs`,
    ];
    const files = exportedFiles(await others.world.bytes([...pack, "-cf", "-", "."]));
    assert.deepEqual(unpacked(files), unpacked(picture(handed().archive, 0).files));
  });

  const recording = isRecording ? test : () => {};
  recording("is recorded", async () => {
    const shapes = { archive: shapeOfArchive(handed().archive), layout: shapeOfDirectory(handed().layout) };
    const golden: Recorded = { versions: await others.versions(), built, made, handed: shapes };
    writeFileSync(goldenFile, `${JSON.stringify(golden, null, 1)}\n`);
    const files = join(others.world.directory, "registry");
    await succeed("tar", ["-C", files, "-czf", join(directory, "registry.tar.gz"), "docker"]);
  });
}

/** Puts what a taker takes where he finds it. */
async function hand(taker: Taker, { archive, layout, content }: Handed, to: { name: string; outside: string }) {
  if (taker.of === "archive") writeFileSync(to.outside, archive);
  else if (taker.of === "layout") cpSync(layout, to.outside, { recursive: true });
  else if (taker.of === "store") cpSync(content, to.outside, { recursive: true });
  else {
    await box.ok("tag", "ours:1", to.name);
    await box.ok("push", "-q", ...(taker.of === "repository" ? [] : ["--compression", "zstd"]), to.name);
    await box.ok("rmi", to.name);
  }
}
