import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { type Deed, killAtPoints } from "../support/endurance/points.ts";
import { parameter, Random } from "../support/endurance/random.ts";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const stride = parameter("SAMPAN_ENDURANCE_STRIDE", 60);
const random = new Random(parameter("SAMPAN_ENDURANCE_SEED", Date.now() % 1_000_000));
const headers = { "content-type": "application/x-tar" };
const text = "copied whole ".repeat(3000);

async function there(path: string): Promise<boolean> {
  return (await box.api("GET", path)).status === 200;
}

/** An image that is there can be used. */
async function runs(image: string): Promise<void> {
  if (!(await there(`/images/${image}/json`))) return;
  const { status, stdout, stderr } = await box.run(["run", "--rm", "--network", "none", image, "cat", "/file"]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, text);
}

suite("the daemon killed at every point of a deed", { ...requires("busybox", "strace"), ...requiresRoot() }, () => {
  let archive: Buffer;
  let files: Buffer;

  before(async () => {
    const image = await busybox();
    files = await tar([{ name: "file", body: text }]);
    archive = await dockerArchive({ ...image, layers: [...image.layers, files] }, ["loaded"]);
    for (const input of [await dockerArchive(image, ["busybox"]), archive]) {
      const { status, stderr } = await box.run(["load"], { input });
      assert.equal(status, 0, stderr);
    }
    await box.ok("tag", "loaded", "saved");
    await box.ok("rmi", "loaded");
    await box.ok("run", "-d", "--name", "alive", "--network", "none", "saved", "sleep", "10000");
    await box.ok("create", "--name", "still", "--network", "none", "saved", "cat", "/file");
  });

  const deeds: Deed[] = [
    {
      name: "load",
      ask: () => box.api("POST", "/images/load", archive, headers),
      verify: () => runs("loaded"),
      undo: () => box.run(["rmi", "-f", "loaded"]),
    },
    {
      name: "import",
      ask: () => box.api("POST", "/images/create?fromSrc=-&repo=imported", files, headers),
      verify: async () => {
        if (await there("/images/imported/json")) await box.ok("create", "--name", "one", "imported", "x");
      },
      undo: async () => {
        await box.run(["rm", "-f", "one"]);
        await box.run(["rmi", "-f", "imported"]);
      },
    },
    {
      name: "save",
      small: true,
      ask: () => box.api("GET", "/images/saved/get"),
      verify: () => runs("saved"),
    },
    {
      name: "commit of one that runs",
      ask: () => box.api("POST", "/commit?container=alive&repo=committed"),
      verify: async () => {
        await runs("committed");
        assert.equal(await box.ok("exec", "alive", "echo", "goes on"), "goes on");
      },
      undo: () => box.run(["rmi", "-f", "committed"]),
    },
    {
      name: "rmi",
      prepare: async () => {
        const { status, text: said } = await box.api("POST", "/images/load", archive, headers);
        assert.equal(status, 200, said);
        await box.ok("tag", "loaded", "more");
        await box.api("POST", "/commit?container=still&repo=loaded");
      },
      ask: () => box.api("DELETE", "/images/loaded?force=1"),
      verify: () => runs("loaded"),
      undo: () => box.run(["rmi", "-f", "loaded", "more"]),
    },
    ...["alive", "still"].map((name) => ({
      name: `copy into ${name}`,
      small: true,
      ask: () => box.api("PUT", `/containers/${name}/archive?path=/tmp`, files),
      verify: async () => {
        const { status, text: said } = await box.api("PUT", `/containers/${name}/archive?path=/tmp`, files);
        assert.equal(status, 200, said);
        assert.ok((await box.api("GET", `/containers/${name}/archive?path=/tmp/file`)).text.includes(text));
      },
    })),
    {
      name: "volume create",
      small: true,
      ask: () => box.api("POST", "/volumes/create", { Name: "made" }),
      verify: () => box.ok("run", "--rm", "--network", "none", "-v", "made:/v", "busybox", "touch", "/v/file"),
      undo: () => box.ok("volume", "rm", "made"),
    },
    {
      name: "volume rm",
      small: true,
      prepare: () => box.ok("run", "--rm", "--network", "none", "-v", "full:/v", "busybox", "touch", "/v/file"),
      ask: () => box.api("DELETE", "/volumes/full"),
      verify: async () => {
        const isThere = await there("/volumes/full");
        const found = await box.ok("run", "--rm", "--network", "none", "-v", "full:/v", "busybox", "ls", "/v");
        assert.equal(found, isThere ? "file" : "", "it is whole, or its name is free");
      },
      undo: () => box.ok("volume", "rm", "full"),
    },
    {
      name: "create with a volume that is filled",
      small: true,
      ask: () =>
        box.api("POST", "/containers/create?name=filled", {
          Image: "saved",
          Volumes: { "/etc": {} },
          HostConfig: { NetworkMode: "none" },
        }),
      verify: async () => {
        if (await there("/containers/filled/json")) await box.ok("start", "filled");
      },
      undo: async () => {
        await box.run(["rm", "-fv", "filled"]);
        await box.run(["volume", "prune", "-af"]);
      },
    },
  ];

  for (const deed of deeds) {
    test(deed.name, async (context) => {
      const apart = deed.small ? Math.ceil(stride / 12) : stride;
      const kills = await killAtPoints(box, deed, { first: 1 + random.below(apart), stride: apart });
      context.diagnostic(`killed ${kills} times`);
    });
  }
});
