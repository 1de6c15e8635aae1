import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Front, plain, startFront } from "../support/front.ts";
import {
  busybox,
  configurationOf,
  descriptor,
  digestOf,
  dockerArchive,
  type Entry,
  type TestImage,
  tar,
} from "../support/images.ts";
import { mutated, randomFrom, seed } from "../support/mutations.ts";
import { freePort } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Errors that are defects of ours, not the image's. */
const ofProgrammers = /TypeError|RangeError|Cannot read prop|is not (a function|iterable)|internal error/;

/** What a registry has of one image; by digest or, for the manifest, whatever is asked for. */
interface Served {
  readonly manifest: Buffer;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** Every digest is right unless a change is made to what was digested; `patch` changes the finished parts. */
function served(image: TestImage, patch: Partial<Record<"manifest" | "config" | "layer", (b: Buffer) => Buffer>> = {}) {
  const same = (bytes: Buffer) => bytes;
  const config = (patch.config ?? same)(configurationOf(image));
  const layers = image.layers.map((layer) => (patch.layer ?? same)(gzipSync(layer, { level: 1 })));
  const body = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
  };
  const blobs = new Map([config, ...layers].map((blob) => [digestOf(blob), blob]));
  return { manifest: (patch.manifest ?? same)(Buffer.from(JSON.stringify(body))), blobs };
}

/** Files of images and of half-made images below the root. */
function files(): string[] {
  return globSync(["content/blobs/*/*", "content/ingest/*", "layers/*", "tmp/*"], { cwd: box.layout.root }).sort();
}

/** Pulls over the API; the error's text, or undefined. */
async function pull(name: string): Promise<string | undefined> {
  const { status, text } = await box.api("POST", `/images/create?fromImage=${encodeURIComponent(name)}&tag=1`);
  if (status !== 200) return text;
  const last = JSON.parse(text.trim().split("\n").at(-1) ?? "{}");
  return last.error;
}

suite("images that are not what they should be", { ...requires("busybox"), ...requiresRoot() }, () => {
  let front: Front;
  let image: TestImage;
  let current: Served;
  let clean: string[];

  before(async () => {
    image = await busybox();
    current = served(image);
    front = await startFront("", async ({ path }) => {
      if (path === "/v2/") return plain(200);
      if (path.includes("/manifests/")) {
        const headers = { "content-type": manifestType, "docker-content-digest": digestOf(current.manifest) };
        return { status: 200, headers, body: current.manifest };
      }
      const blob = current.blobs.get(path.split("/").at(-1) ?? "");
      return blob === undefined ? plain(404) : { status: 200, headers: {}, body: blob };
    });
    clean = files();
  });

  after(() => front.close());

  /** The daemon answers and has no image but its own, and no file of one. */
  async function nothingIsLeft(): Promise<void> {
    assert.equal(await box.ping(), true);
    assert.equal(await box.ok("images", "-q", "--filter", "reference=127*"), "");
    assert.deepEqual(files(), clean);
  }

  test("an image that is not there, and a registry that is not there", async () => {
    const port = await freePort();
    await box.fails({ status: 1, stderr: /connection refused|ECONNREFUSED/i }, "pull", `127.0.0.1:${port}/x`);
    await box.fails({ status: 125, stderr: /connection refused|ECONNREFUSED/i }, "run", `127.0.0.1:${port}/x`);
    await box.fails({ status: 125, stderr: /No such image: nosuch:latest/ }, "run", "--pull", "never", "nosuch");
    await box.fails({ status: 125, stderr: /invalid reference format/ }, "run", "Not/An/Image:");
    await nothingIsLeft();
  });

  test("a layer with another digest, and one that ends too early", async () => {
    const name = `${front.host}/broken`;
    for (const change of [
      (bytes: Buffer) => mutated(bytes, randomFrom(seed)),
      (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    ]) {
      const good = served(image);
      current = { ...good, blobs: new Map([...good.blobs].map(([digest, blob]) => [digest, change(blob)])) };
      await box.fails({ status: 1, stderr: /sha256:[0-9a-f]{64}/ }, "pull", `${name}:1`);
      await nothingIsLeft();
    }
  });

  for (const part of ["manifest", "config", "layer"] as const) {
    test(`twenty mutations of one byte: ${part}`, async () => {
      const random = randomFrom(seed);
      for (let round = 0; round < 20; round++) {
        // Digests are those of the mutated bytes, so that everything behind the verification is tried, too.
        current = served(image, { [part]: (bytes: Buffer) => mutated(bytes, random) });
        const error = await pull(`${front.host}/mutated`);
        assert.equal(await box.ping(), true, `round ${round}: ${error}\n${box.logs()}`);
        if (error !== undefined) assert.doesNotMatch(error, ofProgrammers, error);
        if (error === undefined) {
          await box.run(["run", "--rm", "--pull", "never", `${front.host}/mutated:1`, "true"], { timeout: 20_000 });
          await box.ok("rmi", "-f", `${front.host}/mutated:1`);
        }
        await nothingIsLeft();
      }
    });
  }

  test("twenty mutations of one byte: the headers of an uncompressed layer's tar", async () => {
    const random = randomFrom(seed);
    const [layer] = image.layers;
    assert.ok(layer);
    for (let round = 0; round < 20; round++) {
      const layers = [mutated(layer, random, 8192)];
      const { status, stderr } = await box.run(["load"], {
        input: await dockerArchive({ ...image, layers }, ["127/mutated:1"]),
      });
      assert.equal(await box.ping(), true, `round ${round}: ${stderr}\n${box.logs()}`);
      if (status === 0) await box.ok("rmi", "-f", "127/mutated:1");
      else assert.doesNotMatch(stderr, ofProgrammers, stderr);
      await nothingIsLeft();
    }
  });

  test("a layer writes nothing outside its directory, whatever its names and links say", async () => {
    const outside = join(box.directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "file"), "untouched");
    const up = "../".repeat(12);
    const file = (name: string): Entry => ({ name, body: "evil" });
    const link = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });
    const hard = (name: string, linkname: string): Entry => ({ name, type: "link", linkname });
    const tricks: Entry[][] = [
      [file(`${up}${outside}/dots`)],
      [file(`${outside}/absolute`)],
      [link("away", outside), file("away/through")],
      [link("away", outside), { name: "away", type: "directory" }, file("away/through")],
      [link("a", ".."), link("a/b", ".."), file(`a/b/${up}${outside}/chain`)],
      [link("away", `${outside}/file`), file("away")],
      [hard("stolen", `${up}${outside}/file`), file("stolen")],
      [hard("stolen", `${outside}/file`), file("stolen")],
      [link("away", outside), hard("stolen", "away/file"), file("stolen")],
      [file(`${up}${outside}/.wh.file`)],
      [link("away", outside), file("away/.wh.file")],
      [link("away", outside), file("away/.wh..wh..opq")],
      [file(".wh..")],
      [file(".wh...")],
      [file(".wh.")],
      [{ name: "away", type: "character-device", devmajor: 1, devminor: 3 }, file("away/below")],
    ];
    for (const [index, entries] of tricks.entries()) {
      const bottom = await tar([{ name: "bottom", body: "" }]);
      const input = await dockerArchive({ layers: [bottom, await tar(entries)], config: {} }, ["127/trick:1"]);
      const { status, stderr } = await box.run(["load"], { input });
      if (status === 0) await box.ok("rmi", "-f", "127/trick:1");
      else assert.match(stderr, /^Error response from daemon: Cannot \w/, `trick ${index}`);
      assert.deepEqual(globSync("*", { cwd: outside }), ["file"], `trick ${index}`);
      assert.equal(readFileSync(join(outside, "file"), "utf8"), "untouched", `trick ${index}`);
      await nothingIsLeft();
    }
    assert.equal(existsSync("/dots") || existsSync("/chain"), false);
  });

  test("archives that are none", async () => {
    for (const input of [Buffer.alloc(0), Buffer.alloc(1024), Buffer.from("not a tar"), Buffer.alloc(5000, 0xff)]) {
      const { status, stderr } = await box.run(["load"], { input });
      assert.equal(status, 1, stderr);
      assert.ok(stderr.trim().length > 0);
      await nothingIsLeft();
    }
  });
});
