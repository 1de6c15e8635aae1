import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Disk } from "../support/endurance/disk.ts";
import { lossAfterRemovals, powerRounds } from "../support/endurance/power.ts";
import { parameter } from "../support/endurance/random.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox();

suite("losses of power", { ...requires("busybox", "mkfs.ext4", "losetup", "unshare"), ...requiresRoot() }, () => {
  const disk = new Disk(box);

  before(async () => {
    await disk.make();
    await disk.mount(1);
    await box.start();
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  after(async () => {
    try {
      await box.clear();
      await box.stop();
      await disk.unmount();
    } finally {
      await disk.close();
    }
  });

  test("what was removed is there again, whole, or it is not there", () => lossAfterRemovals(box, disk));

  test("what is there afterwards is whole", async (context) => {
    const seed = parameter("SAMPAN_ENDURANCE_SEED", Date.now() % 1_000_000);
    context.diagnostic(`seed ${seed}`);
    await powerRounds(box, disk, { rounds: parameter("SAMPAN_ENDURANCE_POWER", 4), seed });
  });
});
