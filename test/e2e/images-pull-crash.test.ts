import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { startFront } from "../support/front.ts";
import { architecture, type TestImage, tar, writeIndexLayout, writeOciLayout } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
/** Bytes of the big layer that come before its connection breaks. */
const half = 1_500_000;

describe("pulls whose daemon is killed", requires("docker-registry", "skopeo"), () => {
  let registry: Registry;
  let image: TestImage;
  let none: string[];

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    const layers = [
      await tar([{ name: "small", body: "small" }]),
      await tar([{ name: "big", body: randomBytes(3_000_000) }]),
    ];
    image = { layers, config: {} };
    const layout = join(box.directory, "layout");
    writeOciLayout(layout, image);
    await registry.push(layout, "cut/single:1");
    const several = ["amd64", "arm64"].map((of) => ({ architecture: of, image }));
    const index = join(box.directory, "index");
    writeIndexLayout(index, several);
    await registry.push(index, "cut/several:1");
    none = stored();
  });
  after(() => registry?.close());
  afterEach(async () => {
    await box.ok("image", "prune", "-af");
    await eventually("nothing is left", () => stored().join() === none.join());
  });

  const stored = () => globSync("{content/blobs/*,content/ingest,layers}/*", { cwd: box.layout.root }).sort();
  const isLayer = (path: string) => path.startsWith("layers/");
  const listed = async () => (await box.ok("images", "-a", "--format", "{{.Repository}}")).trim();

  /**
   * A registry that gives half of the big layer, and then nothing: whoever takes it up waits. `release` lets it give all; what it
   * was asked for since is answered.
   */
  async function halfRegistry() {
    let held = true;
    let cut = 0;
    const front = await startFront(registry.host, async ({ path, forward }) => {
      if (!held || !path.includes("/blobs/")) return await forward();
      const answer = await forward();
      if (answer.body.length < half) return answer;
      if (cut++ === 0) return { ...answer, cutAfter: half };
      return await new Promise<never>(() => {});
    });
    const isHeld = () => cut > 1;
    const release = () => {
      held = false;
      const before = front.seen.length;
      return () => front.seen.slice(before).filter((line) => line.includes("/blobs/"));
    };
    return { ...front, isHeld, release };
  }

  /** Pulls until half of it has come, and kills the daemon. */
  async function killed(front: Awaited<ReturnType<typeof halfRegistry>>, ...words: string[]): Promise<void> {
    const pulling = box.run(["pull", ...words]);
    await eventually("half of the layer is here", front.isHeld);
    await eventually("the other layer is unpacked", () =>
      stored().some((path) => isLayer(path) && !none.includes(path)),
    );
    await box.crash();
    assert.notEqual((await pulling).status, 0);
    assert.equal(await listed(), "sampan/host", "nothing is half-visible");
  }

  test("the next pull goes on where it broke off, and all of it is there", async () => {
    const front = await halfRegistry();
    try {
      const name = `${front.host}/cut/single:1`;
      await killed(front, name);
      const asked = front.release();
      await box.ok("pull", "-q", name);
      const ranges = asked().filter((line) => line.includes("bytes="));
      assert.equal(ranges.length, 1, asked().join("\n"));
      const [, from] = /bytes=(\d+)-/.exec(ranges.join()) ?? [];
      assert.ok(Number(from) > 0 && Number(from) <= half, ranges.join());
      assert.equal(await sizeOf(name, "big"), "3000000");
      await box.ok("rmi", name);
    } finally {
      await front.close();
    }
  });

  test("of all platforms: none of them is seen, and then all", async () => {
    const front = await halfRegistry();
    try {
      const name = `${front.host}/cut/several:1`;
      await killed(front, "--platform", `linux/${architecture}`, name);
      front.release();
      for (const one of ["amd64", "arm64"]) {
        await box.ok("pull", "-q", "--platform", `linux/${one}`, name);
        assert.equal((await box.ok("image", "inspect", "-f", "{{.Architecture}}", name)).trim(), one);
      }
    } finally {
      await front.close();
    }
  });

  test("who does not pull again loses nothing: what came goes with image prune", async () => {
    const front = await halfRegistry();
    try {
      await killed(front, `${front.host}/cut/single:1`);
    } finally {
      await front.close();
    }
  });

  /** Bytes of a file of an image. */
  async function sizeOf(name: string, file: string): Promise<string> {
    const id = (await box.ok("create", "--network", "none", name, "x")).trim();
    const { headers } = await box.api("HEAD", `/containers/${id}/archive?path=/${file}`);
    await box.ok("rm", id);
    const stat = Buffer.from(String(headers["x-docker-container-path-stat"]), "base64").toString();
    return String(JSON.parse(stat).size);
  }
});
