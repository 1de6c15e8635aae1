import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { dockerOf } from "../support/docker.ts";
import { ImageBox } from "../support/image-store.ts";
import { busybox, digestOf, dockerArchive, tar } from "../support/images.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);

interface Manifest {
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly annotations?: object }[];
}

const blob = (digest: string) => readFileSync(join(box.layout.content, "blobs/sha256", digest.replace("sha256:", "")));
const has = (digest: string) => existsSync(join(box.layout.content, "blobs/sha256", digest.replace("sha256:", "")));

/** What index.json says of a name. */
function manifestOf(name: string): Manifest {
  const index = JSON.parse(readFileSync(join(box.layout.content, "index.json"), "utf8"));
  const entry = index.manifests.find(
    ({ annotations }: { annotations?: Record<string, string> }) =>
      annotations?.["org.opencontainers.image.ref.name"] === `docker.io/library/${name}:latest`,
  );
  assert.ok(entry, `${name} is in index.json`);
  return JSON.parse(blob(entry.digest).toString());
}

suite("what is committed", { ...requires("docker", "busybox", "docker-registry"), ...requiresRoot() }, () => {
  let registry: Registry;

  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
    registry = await startRegistry(join(box.directory, "registry"));
  });
  after(() => registry.close());

  test("large files come whole, beside small ones, with holes and several names", async () => {
    const script = [
      "dd if=/dev/urandom of=/a-large bs=1M count=11",
      "dd if=/dev/urandom of=/b-odd bs=1000003 count=1",
      "ln /a-large /c-linked",
      "dd if=/dev/urandom of=/d-edge bs=524288 count=1",
      "dd if=/dev/urandom of=/e-edge bs=524289 count=1",
      "dd if=/dev/urandom of=/f-holes bs=1 count=5 seek=3000000",
      "dd if=/dev/urandom of=/g-blocks bs=4M count=2",
      "chown 7:8 /g-blocks; chmod 4711 /g-blocks; touch -d '2001-02-03 04:05:06' /g-blocks",
      "md5sum /?-*; ls -ln --full-time /?-*",
    ];
    const id = await ok("run", "-d", "--name", "big", "busybox", "sh", "-c", `{ ${script.join("; ")}; } 2>/dev/null`);
    await ok("wait", id);
    const wanted = await ok("logs", id);
    assert.match(wanted, /2001-02-03/);
    await ok("commit", "big", "big");
    assert.equal(await ok("run", "--rm", "big", "sh", "-c", "md5sum /?-*; ls -ln --full-time /?-*"), wanted);
    const layer = manifestOf("big").layers.at(-1);
    assert.equal(layer?.mediaType, "application/vnd.oci.image.layer.v1.tar");
    assert.equal(digestOf(blob(layer.digest)), layer.digest);
    const saved = manifestOf("big");
    await ok("save", "-o", join(box.directory, "big.tar"), "big");
    await ok("rmi", "big");
    await ok("load", "-i", join(box.directory, "big.tar"));
    assert.deepEqual(manifestOf("big"), saved);
    assert.equal(await ok("run", "--rm", "big", "sh", "-c", "md5sum /?-*; ls -ln --full-time /?-*"), wanted);
  });

  test("a push compresses it once, saved and loaded before or not, and what is here is what was pushed", async () => {
    const plain = manifestOf("big").layers.at(-1)?.digest ?? "";
    const [before] = JSON.parse(await ok("image", "inspect", "big"));
    const name = `${registry.host}/big:1`;
    await ok("tag", "big", name);
    assert.match(await ok("push", name), /digest: sha256:/);
    const layer = manifestOf("big").layers.at(-1);
    assert.equal(layer?.mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert.equal(layer.annotations, undefined);
    assert.equal(digestOf(gunzipSync(blob(layer.digest))), plain);
    assert.ok(!has(plain), "the layer is stored once");
    const pushed = await (await fetch(`http://${registry.host}/v2/big/manifests/1`, accepting)).json();
    assert.deepEqual(pushed, JSON.parse(JSON.stringify(manifestOf("big"))));
    const [now] = JSON.parse(await ok("image", "inspect", "big"));
    assert.deepEqual([now.Id, now.RootFS], [before.Id, before.RootFS]);
    assert.match(await ok("push", name), /Layer already exists/);
    assert.doesNotMatch(await ok("push", name), /Compressing/);
    await ok("rmi", name);
  });

  test("a push that says how takes what is stored, and leaves it", async () => {
    await ok("commit", "big", "zipped");
    const name = `${registry.host}/zipped:1`;
    await ok("tag", "zipped", name);
    await box.ok("push", "--compression", "zstd", name);
    const pushed = (await (await fetch(`http://${registry.host}/v2/zipped/manifests/1`, accepting)).json()) as Manifest;
    assert.match(pushed.layers.at(-1)?.mediaType ?? "", /\+zstd$/);
    assert.equal(pushed.layers.at(-1)?.annotations, undefined);
    assert.match(manifestOf("zipped").layers.at(-1)?.mediaType ?? "", /\.tar$/);
    await ok("rmi", name, "zipped");
  });

  test("an image that is built on it has compressed layers", async () => {
    await ok("commit", "big", "base");
    const built = await box.run(["build", "-t", "on-base", "-"], { input: "FROM base\nRUN echo more >/more\n" });
    assert.equal(built.status, 0, built.stderr);
    const types = manifestOf("on-base").layers.map(({ mediaType }) => mediaType);
    assert.ok(
      types.slice(1).every((type) => type.endsWith("+gzip")),
      types.join(" "),
    );
    assert.equal(await ok("run", "--rm", "on-base", "cat", "/more"), "more");
    await ok("rmi", "on-base", "base", "big");
    await ok("rm", "big");
  });
});

const accepting = { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } };

suite("what was made shortly before the power was lost", requiresRoot(), () => {
  let images: ImageBox;
  before(() => {
    images = new ImageBox();
  });
  after(() => images.close());

  /** Makes an image whose way to the disk did not end before the machine did. */
  async function unsettled(name: string) {
    const archive = await tar([{ name: "file", body: `${name} `.repeat(1000) }]);
    const platform = { os: "linux", architecture: "amd64" };
    const image = await images.images.create({
      ...{ layer: Readable.from([archive]), platform, defaults: {}, history: {} },
    });
    await images.images.settling(image.id);
    const db = new DatabaseSync(images.layout.stateDb);
    assert.equal(db.prepare("SELECT count(*) AS count FROM image_unsettled").get()?.count, 0);
    db.prepare("INSERT INTO image_unsettled VALUES (?)").run(image.id);
    db.close();
    const [layer] = image.layers;
    assert.ok(layer);
    return { id: image.id, path: join(images.layers.directory(layer.chainId), "file"), diffId: layer.diffId };
  }

  const known = (id: string) => images.images.list().some((image) => image.id === id);

  test("gets its layer anew out of its blob", async () => {
    const { id, path } = await unsettled("whole");
    truncateSync(path, 10);
    await images.restart();
    await images.images.collectInterrupted();
    assert.equal(readFileSync(path, "utf8"), "whole ".repeat(1000));
    assert.ok(known(id));
    await images.images.remove(id, { force: true, inUse: () => [] });
  });

  test("is not there when its blob is not whole, and nothing of it is left", async () => {
    const before = images.files();
    for (const damage of [(path: string) => truncateSync(path, 700), (path: string) => writeFileSync(path, "")]) {
      const { id, diffId } = await unsettled("torn");
      damage(join(images.layout.content, "blobs/sha256", diffId.slice(7)));
      await images.restart();
      await images.images.collectInterrupted();
      assert.ok(!known(id));
      assert.deepEqual(images.files(), before);
    }
  });

  test("one that others rely on is looked at no more than needed", async () => {
    const { id, path } = await unsettled("shared");
    const db = new DatabaseSync(images.layout.stateDb);
    db.prepare("DELETE FROM image_unsettled").run();
    db.close();
    appendFileSync(path, "kept");
    await images.restart();
    await images.images.collectInterrupted();
    assert.match(readFileSync(path, "utf8"), /kept$/);
    await images.images.remove(id, { force: true, inUse: () => [] });
    assert.deepEqual(readdirSync(images.layout.layers), []);
  });
});
