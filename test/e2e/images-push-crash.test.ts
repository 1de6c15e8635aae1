import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import { dockerArchive, type TestImage, tar } from "../support/images.ts";
import { eventually, runProgram, succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

describe("pushes that are cut short", { ...requires("docker-registry", "skopeo"), ...requiresRoot() }, () => {
  let registry: Registry;
  let image: TestImage;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    image = { layers: [await tar([{ name: "big", body: randomBytes(3_000_000) }])], config: {} };
  });
  after(() => registry?.close());

  const stored = () => globSync("{content/blobs/*,content/ingest,layers}/*", { cwd: box.layout.root }).sort();

  for (const compression of ["as it is", "zstd"]) {
    test(`kill -9 of the daemon in the middle (${compression})`, async () => {
      let slow = true;
      const front = await startFront(registry.host, async ({ method, forward }) => {
        if (slow && method === "PATCH") await sleep(60_000, undefined, { ref: false });
        return forward();
      });
      try {
        const name = `${front.host}/killed/${compression === "zstd" ? "zstd" : "plain"}:1`;
        await box.run(["load"], { input: await dockerArchive(image, [name]) });
        const before = stored();
        const flags = compression === "zstd" ? ["--compression", compression] : [];
        const pushing = box.run(["push", ...flags, name]);
        await eventually("an upload has begun", () => front.seen.some((line) => line.startsWith("PATCH")));
        await box.crash();
        assert.notEqual((await pushing).status, 0);
        slow = false;
        const inspect = ["inspect", "--tls-verify=false", `docker://${name}`];
        assert.notEqual((await runProgram("skopeo", inspect)).status, 0, "nothing half-visible");
        assert.equal(await box.ok("images", "-q", name).then((id) => id.length > 0), true);
        await box.ok("push", ...flags, name);
        await succeed("skopeo", inspect);
        await eventually("what was made for the push is gone", () => stored().join() === before.join());
      } finally {
        await front.close();
      }
    });
  }

  test("a full disk while layers are compressed anew is an error that says so and leaves nothing", async () => {
    const directory = join(box.directory, "small");
    mkdirSync(directory);
    await succeed("mount", ["-t", "tmpfs", "-o", "size=9m", "sampan-test", directory]);
    const small = new ImageBox({ directory });
    try {
      const name = `${registry.host}/full/image:1`;
      await small.load(image, name);
      const files = small.files();
      const full = { kind: "exhausted", message: /no space left|ENOSPC/i };
      await assert.rejects(small.push(name, { compression: "zstd" }), full);
      assert.deepEqual(small.files(), files);
      await small.push(name);
    } finally {
      await small.end();
      await succeed("umount", [directory]);
    }
  });
});
